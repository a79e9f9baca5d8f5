"""At p = 0.9, are two features represented at right angles and nothing else happens? Statement C1.

Ten features in two dimensions, with equal importance and with importance that falls by a tenth from feature to
feature. Runs are judged against the exact loss of two orthogonal features, and that against the best loss found by an
exact search; a stability analysis says how unequal importance must be for the two features to win.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    MoreThan,
    Verdict,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.geometry.configurations import canonical
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.evaluation import evaluate
from experiments.core.losses.optimum import search
from experiments.core.metrics import axis_alignment, cosines, norms
from experiments.core.phases import stability_limit
from experiments.core.quantities import Quantity, exact, mean, median, share
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float64]

HIDDEN = 2
ARMS = ("equal importance", "falling importance")
ABSENT, PRESENT = 0.1, 0.5
"""Two features alone: two columns longer than the second, the others shorter than the first."""

SHOWN = 6
"""Runs of each arm that are drawn."""

LEAST_SHOWN = -0.02
"""Runs further behind two orthogonal features are drawn here."""

RIGHT_ANGLE = 0.1
"""Largest |cos| that counts as a right angle: within six degrees."""

TWO_ALONE = Criterion(
    supported_if(Above(0.5, label="one half")),
    refuted_if(Below(0.1, label="one tenth")),
    otherwise=Verdict.MIXED,
)
"""When "training represents two features at right angles" holds, judged by the share of runs that do."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models per arm; both arms start alike
    features: int = 10
    p: float = 0.9
    decay: float = 0.9  # importance of each feature over the one before, in the second arm
    steps: int = 6000
    batch: int = 256
    learning_rate: float = 1e-2  # falls to 0 along a cosine
    samples: int = 1 << 18  # on which the runs of a seed are compared with two directions; each seed has its own
    searched: int = 5  # most features that the exact search lets in
    search_starts: int = 16
    ratios: tuple[float, ...] = (0.9, 0.92, 0.93, 0.94, 0.945, 0.95, 0.955, 0.96, 0.97, 0.98, 0.99, 1.0)


@dataclass(frozen=True)
class Numbers:
    """What pages quote, for equal and for falling importance; `alone`: exactly two features, at right angles."""

    equal_alone: Quantity
    falling_alone: Quantity
    equal_alignment: Quantity
    falling_alignment: Quantity
    equal_ahead: Quantity
    equal_lead: Quantity
    equal_most_lead: Quantity
    falling_lead: Quantity
    best_lead: Quantity
    best_lead_share: Quantity
    limit: Quantity
    last_without: Quantity
    first_with: Quantity
    seeds: Quantity


@dataclass(frozen=True)
class Result:
    """A lead is (loss of two orthogonal features - loss) n / V: by how much a model beats them, in features' variance.

    `alignment` is that of the row space with single features, 1 for two features alone. `ratio` is the importance of
    each feature over that of the one before, and the two fields after it belong to the exact optimum.
    """

    alignment: Array  # (arm, seed)
    lead: Array  # (arm, seed)
    examples: Array  # (arm, run, hidden, feature)
    ratio: Array  # (case,)
    best_lead: Array  # (case,)
    best_third: Array  # (case,): norm of the third column
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Dense features: two at right angles?",
    config=Config(),
    quick=Config(
        seeds=16,
        features=8,
        steps=600,
        batch=128,
        samples=1 << 13,
        searched=4,
        search_starts=6,
        ratios=(0.9, 0.95, 0.98, 1.0),
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    importance = np.stack([np.ones(config.features), config.decay ** np.arange(config.features)])
    W, lead = _train(config, importance, device)
    found = _search(config)
    alone, limit = _two_alone(W), float(stability_limit(config.p))
    admitted = found.third > ABSENT / 2
    return Result(
        alignment=axis_alignment(W),
        lead=lead,
        examples=np.stack([[canonical(each, PRESENT) for each in arm[:SHOWN]] for arm in W]),
        ratio=found.ratio,
        best_lead=found.lead,
        best_third=found.third,
        numbers=Numbers(
            equal_alone=share(alone[0]),
            falling_alone=share(alone[1]),
            equal_alignment=mean(axis_alignment(W[0])),
            falling_alignment=mean(axis_alignment(W[1])),
            equal_ahead=share(lead[0] > 0),
            equal_lead=median(lead[0], "features"),
            equal_most_lead=exact(lead[0].max(), "features", "largest of all runs, each on samples of its own"),
            falling_lead=median(lead[1], "features"),
            best_lead=exact(found.lead[-1], "features", "exact losses, best of a search"),
            best_lead_share=exact(
                found.lead[-1] / (config.features - HIDDEN), method="lead over the loss of two directions; exact losses"
            ),
            limit=exact(limit, method="closed form"),
            last_without=exact(found.ratio[~admitted].max(), method="largest ratio without a third feature"),
            first_with=exact(found.ratio[admitted].min(), method="least ratio with a third feature"),
            seeds=exact(config.seeds, method="set-up"),
        ),
    )


def _train(config: Config, importance: Array, device: str) -> tuple[Array, Array]:
    """Return `W` (arm, seed, hidden, feature), and the lead (arm, seed) over two directions on a seed's own samples."""
    n, seeds, arms = config.features, config.seeds, len(importance)
    streams = np.random.SeedSequence(config.seed).generate_state(seeds, dtype=np.uint64)
    weights = train(
        Data(config.p, np.repeat(importance, seeds, axis=0)),
        Model(n, HIDDEN),
        Recipe(
            steps=config.steps, batch=config.batch, learning_rate=config.learning_rate, schedule="cosine",
            instance_seeds=tuple(int(stream) for stream in np.tile(streams, arms)),
        ),
        device=device,
    ).weights  # fmt: skip
    two_W, two_b = _two_directions(n, config.p)
    models = arms * seeds
    judged = Weights(
        np.concatenate([weights.W, np.repeat(two_W[None], models, axis=0)]),
        np.concatenate([weights.b, np.repeat(two_b[None], models, axis=0)]),
    )
    weight, own = np.repeat(importance, seeds, axis=0), np.tile(streams, arms)
    found = evaluate(judged, Data(config.p, np.tile(weight, (2, 1))), Model(n, HIDDEN), config.samples, np.tile(own, 2))
    run, two = found.loss.reshape(2, arms, seeds)
    lead = (two - run) * n / absent_loss(config.p)
    return weights.W.reshape(arms, seeds, HIDDEN, n).astype(np.float64), lead


def _two_directions(features: int, p: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the best model of two orthogonal features: unit columns, and means as the biases of other outputs."""
    W, b = np.zeros((HIDDEN, features), np.float32), np.full(features, p / 2, np.float32)
    W[:, :HIDDEN], b[:HIDDEN] = np.eye(HIDDEN), 0.0
    return W, b


def _two_alone(W: Array) -> NDArray[np.bool_]:
    """Return whether a model (..., hidden, feature) represents exactly two features, at right angles."""
    order = np.argsort(-norms(W), axis=-1)
    length = np.take_along_axis(norms(W), order, axis=-1)
    first_two = np.take_along_axis(W, order[..., None, :HIDDEN], axis=-1)
    square = np.abs(cosines(first_two)[..., 0, 1]) < RIGHT_ANGLE
    return np.asarray((length[..., 1] > PRESENT) & (length[..., 2] < ABSENT) & square)


@dataclass(frozen=True)
class _Found:
    """The exact optimum for each importance ratio (case,)."""

    ratio: Array
    lead: Array
    third: Array


def _search(config: Config) -> _Found:
    """Return how the best of all models with up to `searched` features compares with two directions, for each ratio.

    Fewer features are cases with some left out, so that one search with the most suffices; those beyond are absent
    and lose the same on both sides.
    """
    count, V = config.searched, float(absent_loss(config.p))
    importance = np.array(config.ratios)[:, None] ** np.arange(count)
    found = search(
        HIDDEN, count, np.full((len(importance), 1), config.p), importance, starts=config.search_starts, seed=1
    )
    best = [optima.best() for optima in found]
    two = V * importance[:, HIDDEN:].sum(1)
    lead = (two - count * np.array([float(each.loss) for each in best])) / V
    third = np.array([np.sort(norms(each.W))[-3] for each in best])
    return _Found(np.array(config.ratios), lead, third)


@experiment.figure(
    "geometry-dense-runs",
    title="Nine features in ten present: what training finds",
    caption=(
        "With equal importance {numbers.equal_alone:count} runs represent just two features at right angles; "
        "when importance falls by a tenth from feature to feature, {numbers.falling_alone:count} do. Columns of "
        "W of the first runs, from the same starts: equal importance above, falling importance below."
    ),
    alt=(
        "Two rows of arrow plots inside unit circles. Above, irregular mixtures of long and short arrows; below, two "
        "arrows at right angles in each."
    ),
)
def draw_runs(result: Result) -> Figure:
    shown = result.examples.shape[1]
    figure, axes = plotting.new_figure(2, shown, width="wide", height=3.2)
    limit = 1.05 * float(norms(result.examples).max())
    for row, arm in enumerate(ARMS):
        for column in range(shown):
            tone = plotting.series(row)
            plotting.directions(axes[row, column], result.examples[row, column], limit=limit, colours=tone)
        axes[row, 0].set_ylabel(arm.replace(" ", "\n"))
    return figure


@experiment.figure(
    "geometry-dense-pair",
    title="Two orthogonal features are the worst of many nearly equal solutions, until importance differs",
    caption=(
        "Two orthogonal features become the optimum once the third feature matters less than {numbers.limit:.3f} times "
        "as much as the second, the stability limit. (a) How far the plane that W uses is spanned by single "
        "features: 1 for two features alone. (b) By how much each run beats two orthogonal features, in "
        "features' variance; dashed, the exact optimum for equal importance. Losses of runs are estimates, whose "
        "error puts some above the optimum; those far behind are drawn at the lower edge. (c) Norm "
        "of the third feature in the exact optimum: it enters continuously at the limit."
    ),
    alt=(
        "Left, two clouds of points, spread below one for equal and all at one for falling importance. Middle, leads "
        "mostly above zero for equal importance, at zero for falling. Right, a curve that is zero up to a dashed line "
        "and rises beyond it."
    ),
)
def draw(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.4)
    names = [arm.replace(" ", "\n") for arm in ARMS]
    plotting.distribution_strip(left, dict(zip(names, result.alignment, strict=True)), index=None)
    left.set(ylabel="alignment with single features", title="the plane", ylim=(0, 1.03))
    shown = np.maximum(result.lead, LEAST_SHOWN)
    plotting.distribution_strip(middle, dict(zip(names, shown, strict=True)), index=None)
    plotting.guide(middle, 0)
    plotting.theory_level(middle, result.numbers.best_lead.value, label="")
    middle.set(ylabel="lead over two features", title="the loss")
    right.plot(result.ratio, result.best_third, "o-", color=plotting.colour("accent"))
    plotting.theory_level(right, result.numbers.limit.value, vertical=True, label="stability limit")
    right.set(xlabel="importance ratio", ylabel="norm of the third column", title="the optimum")
    plotting.panel_letters((left, middle, right))
    right.set_xticks([0.9, 0.95, 1.0], ["0.9", "0.95", "1"])
    plotting.legend(right)
    return figure


@experiment.claim(
    "dense-pair-equal",
    title="At p = 0.9 with equal importance, training represents two features at right angles",
    statements=("C1",),
    test=(
        "Share of runs with exactly two columns longer than 1/2, at right angles within six degrees, and all others "
        "shorter than 0.1."
    ),
    criterion=TWO_ALONE,
    figures=("geometry-dense-runs", "geometry-dense-pair"),
    published=Verdict.REFUTED,
)
def equal_alone(result: Result) -> Quantity:
    return result.numbers.equal_alone


@experiment.claim(
    "dense-pair-optimal",
    title="Two orthogonal features are the optimum at p = 0.9 with equal importance",
    statements=("C1",),
    test="Lead of the best model of an exact search over two orthogonal features, in features' variance.",
    criterion=Criterion(
        refuted_if(MoreThan(1e-4, label="a ten-thousandth of a feature")),
        otherwise=Verdict.SUPPORTED,
        note="The losses are exact.",
    ),
    figures=("geometry-dense-pair",),
    published=Verdict.REFUTED,
)
def best_lead(result: Result) -> Quantity:
    return result.numbers.best_lead


@experiment.claim(
    "dense-pair-falling",
    title="At p = 0.9 with falling importance, training represents two features at right angles",
    statements=("C1",),
    test="As with equal importance; the importance of each feature is nine tenths of that of the one before.",
    criterion=TWO_ALONE,
    figures=("geometry-dense-runs", "geometry-dense-pair"),
    published=Verdict.SUPPORTED,
)
def falling_alone(result: Result) -> Quantity:
    return result.numbers.falling_alone


@experiment.claim(
    "dense-pair-limit",
    title="Two orthogonal features win once importance falls faster than the stability limit",
    statements=("C1",),
    test=(
        "Ratios of importance at which the exact optimum has a third feature (norm above 0.05), against the "
        "closed-form ratio up to which two features alone are a local minimum. Statistic: the least such ratio."
    ),
    criterion=Criterion(
        supported_if(where(past_limit=MoreThan(0), short_of_limit=MoreThan(0))),
        otherwise=Verdict.REFUTED,
        names={
            "past_limit": "the least ratio with a third feature, less the limit,",
            "short_of_limit": "the limit less the largest ratio without one",
        },
    ),
    figures=("geometry-dense-pair",),
    published=Verdict.SUPPORTED,
)
def around_the_limit(result: Result) -> Evidence:
    numbers = result.numbers
    method = "difference of ratios, exact optimum"
    return Evidence(
        first_with=numbers.first_with,
        past_limit=exact(numbers.first_with.value - numbers.limit.value, method=method),
        short_of_limit=exact(numbers.limit.value - numbers.last_without.value, method=method),
    )
