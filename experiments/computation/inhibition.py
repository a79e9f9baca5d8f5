"""Does a neuron that serves two features unequally need a second one to inhibit? The motif of asymmetric superposition.

Elhage et al. 2022, "Computation in superposition", the asymmetric superposition motif. Here it is counted over many
models, compared with chance, and taken apart by removing the inhibiting neuron.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.computation.shared.absolute import Training, absolute, trained_at
from experiments.computation.shared.motifs import (
    asymmetric_pairs,
    inhibited_by_chance,
    motifs,
    motifs_by_chance,
    polysemantic_features,
    written,
)
from experiments.computation.shared.neurons import Rescaled, rescaled
from experiments.computation.shared.removal import Ablation, ablations
from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    AboveThat,
    Below,
    BelowThat,
    Criterion,
    Evidence,
    Verdict,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, bootstrap, mean, share

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "Computation in Superposition": the asymmetric superposition motif'


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 64
    features: int = 20
    hidden: int = 10
    p: tuple[float, ...] = (0.5, 0.1, 0.02)
    shown_p: float = 0.1  # one of the densities: the one that claims speak of
    falling: float = 0.8  # importance falls by this factor from feature to feature
    training: Training = field(default_factory=lambda: Training(steps=3000, most=2048))
    chance: int = 10  # draws of the null model, per seed
    samples: int = 2000  # for each motif and neuron removed


@dataclass(frozen=True)
class AtDensity:
    """One density; quantities over seeds. A sum over seeds is divided by a sum over the same seeds."""

    motifs: Quantity  # per model
    by_chance: Quantity  # the same with the columns of the read-out permuted
    pairs: Quantity  # asymmetric pairs per model
    occurs: Quantity  # seeds with at least one motif
    inhibited: Quantity  # share of asymmetric pairs with an inhibitor
    inhibited_by_chance: Quantity  # the same with the other neurons' read-outs permuted
    polysemantic: Quantity  # features per model that share a neuron
    explained: Quantity  # share of these that take part in a motif


@dataclass(frozen=True)
class Numbers:
    """What removing a neuron does to output j of a motif, at the density shown; squared errors over those of zero.

    "Alone" are samples with x_i on the motif's side and without x_j, "together" such with x_j; all other features are
    present at their own rate.
    """

    intact: Quantity  # squared error of output j, alone
    without: Quantity  # the same without the inhibitor
    rise: Quantity  # the inhibitor's rise over that of another neuron which fires there; the latter at least 0.001
    error_before: Quantity  # signed error of output j, together
    error_after: Quantity  # the same without the inhibitor
    tested: Quantity  # seeds with a motif that could be tested


@dataclass(frozen=True)
class Result:
    """Models over densities and seeds. `W`, `R`, `example` show one motif of the first seed that has one.

    `ablation` (seed, 5): squared error of output j intact, without the inhibitor, without another neuron that fires;
    signed error intact and without the inhibitor when both features are present. Seeds without a motif are left out.
    """

    p: Array  # (density,)
    count: Array  # (density, seed)
    chance: Array  # (density, seed)
    ablation: Array  # (seed, 5)
    W: Array  # (2, feature), of the neuron that serves both and of the inhibitor
    R: Array  # (feature, 2)
    example: NDArray[np.int64]  # (2,), the strong and the weak feature
    numbers: Numbers
    at: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.p])


experiment = Experiment(
    __name__,
    title="The asymmetric motif with inhibition",
    config=Config(),
    quick=Config(seeds=8, training=Training(steps=1200, most=512), chance=4, samples=500),
    large=Config(seeds=512),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    importance = np.asarray(config.falling ** np.arange(config.features)[None], dtype=np.float64)
    model = absolute(config.features, config.hidden)
    count, chance, at = [], [], {}
    for place, p in enumerate(config.p):
        advance("densities", place / len(config.p))
        weights = trained_at(config.training, model, p, importance, config.seed, config.seeds, device)
        units = rescaled(weights)
        found = _counts(config, units)
        count.append(found["motifs"])
        chance.append(found["chance"])
        at[f"{p:g}"] = _summary(found)
        if p == config.shown_p:
            ablation = ablations(weights, units, p, config.samples, config.seed)
            example = _example(units)
    return Result(
        np.array(config.p), np.stack(count), np.stack(chance), ablation, *example, _numbers(config, ablation), at
    )


def _counts(config: Config, units: Rescaled) -> dict[str, Array]:
    """Return what is counted in each model (seed,)."""
    names = ("motifs", "chance", "pairs", "inhibited_chance", "polysemantic", "explained")
    found = np.zeros((len(names), config.seeds))
    for k, (W, R) in enumerate(zip(units.W, units.R, strict=True)):
        generator = np.random.default_rng([config.seed, 3, k])
        there = motifs(W, R)
        poly = polysemantic_features(W, R)
        inside = np.zeros(config.features, bool)
        inside[[feature for motif in there for feature in (motif.i, motif.j)]] = True
        pairs = len(asymmetric_pairs(W, R))
        by_chance = pairs * inhibited_by_chance(W, R, generator, config.chance)
        expected = motifs_by_chance(W, R, generator, config.chance)
        found[:, k] = len(there), expected, pairs, by_chance, poly.sum(), (poly & inside).sum()
    return dict(zip(names, found, strict=True))


def _summary(found: dict[str, Array]) -> AtDensity:
    def ratio(over: str, under: str) -> Quantity:
        return bootstrap(
            lambda chosen: found[over][chosen].sum() / max(found[under][chosen].sum(), 1e-9), len(found[over])
        )

    return AtDensity(
        motifs=mean(found["motifs"], "motifs"),
        by_chance=mean(found["chance"], "motifs"),
        pairs=mean(found["pairs"], "pairs"),
        occurs=share(found["motifs"] > 0),
        inhibited=ratio("motifs", "pairs"),
        inhibited_by_chance=ratio("inhibited_chance", "pairs"),
        polysemantic=mean(found["polysemantic"], "features"),
        explained=ratio("explained", "polysemantic"),
    )


def _example(units: Rescaled) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return W and R of the two neurons of the clearest motif of the first seed that has one, and its features."""
    for W, R in zip(units.W, units.R, strict=True):
        there = motifs(W, R)
        if there:
            best = min(there, key=lambda motif: written(W, R, motif.a, motif.i, motif.j)[motif.b])
            pair = [best.a, best.b]
            return W[pair], R[:, pair], np.array([best.i, best.j])
    return np.zeros((2, units.W.shape[2])), np.zeros((units.W.shape[2], 2)), np.array([0, 1])


def _numbers(config: Config, ablation: Array) -> Numbers:
    if len(ablation) < 2:
        raise ValueError(f"fewer than two of {config.seeds} models have a motif that can be tested")
    columns = dict(zip(Ablation._fields, ablation.T, strict=True))

    def rise(chosen: NDArray[np.int64]) -> float:
        intact, without, other = (columns[name][chosen].mean() for name in ("intact", "without", "other"))
        return float((without - intact) / max(other - intact, 1e-3))

    tested = np.arange(config.seeds) < len(ablation)
    return Numbers(
        intact=mean(columns["intact"]),
        without=mean(columns["without"]),
        rise=bootstrap(rise, len(ablation)),
        error_before=mean(columns["error_before"]),
        error_after=mean(columns["error_after"]),
        tested=share(tested),
    )


@experiment.figure(
    "inhibition-motif",
    title="One motif, two neurons",
    caption=(
        "The first neuron serves both features, one by a strong input and a weak read-out, the other by a weak input "
        "and a strong read-out; the second neuron takes the first feature and writes a negative amount into the output "
        "of the other. Two neurons of one model: (a) their weights from the two features of the motif, rescaled so "
        "that a neuron's largest |W| is 1; (b) their read-outs."
    ),
    alt=(
        "Two groups of four bars. In the left group the first neuron has a long and a short bar; in the right group a "
        "short and a long one, and the second neuron has a long negative bar at the second feature."
    ),
)
def draw_motif(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="text", height=2.9)
    strong, weak = (int(feature) for feature in result.example)
    for index, label in enumerate(("serves both", "inhibits")):
        place = np.arange(2) + 0.36 * (index - 0.5)
        tone = plotting.series(index)
        left.bar(place, result.W[index, [strong, weak]], width=0.34, color=tone, label=label)
        right.bar(place, result.R[[strong, weak], index], width=0.34, color=tone, label=label)
    for ax, title in ((left, "input W"), (right, "read-out R")):
        ax.set(title=title, xticks=[0, 1], xticklabels=[f"feature {strong + 1}", f"feature {weak + 1}"])
        plotting.guide(ax, 0.0)
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "inhibition-counts",
    title="How often the motif occurs",
    caption=(
        "At a density of 0.1 a model has {at.0.1.motifs:value} motifs, and {at.0.1.by_chance:value} with the columns "
        "of its read-out permuted. (a) Motifs per model. (b) Share of unequally served pairs that are inhibited; "
        "by chance, the other neurons exchange their read-outs. (c) Of the features that share a neuron, those that "
        "take part in a motif."
    ),
    alt=(
        "Three panels over three densities: motifs and motifs by chance, the inhibited share and that by chance, and "
        "the share of sharing features in motifs. All fall to zero at the highest density."
    ),
    interval="95 % interval over seeds: Student t for counts, bootstrap for shares",
)
def draw_counts(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.1)
    at = list(result.at.values())
    plotting.points(left, result.p, [each.motifs for each in at], label="trained", line=True)
    plotting.points(left, result.p, [each.by_chance for each in at], label="by chance", index=1, line=True)
    left.set_ylabel("motifs per model")
    plotting.points(middle, result.p, [each.inhibited for each in at], label="trained", line=True)
    chance = [each.inhibited_by_chance for each in at]
    plotting.points(middle, result.p, chance, label="by chance", index=1, line=True)
    middle.set(ylabel="pairs with an inhibitor", ylim=(-0.03, 1.05))
    plotting.percent_axis(middle)
    plotting.points(right, result.p, [each.explained for each in at], label="in a motif", line=True)
    right.set(ylabel="sharing features in a motif", ylim=(-0.03, 1.05))
    plotting.percent_axis(right)
    for ax in (left, middle, right):
        plotting.density_axis(ax, ticks=result.p.tolist())
        ax.set_xlim(0.75 * result.p.min(), 1.35 * result.p.max())
    plotting.panel_letters((left, middle, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "inhibition-removed",
    title="Without the inhibiting neuron",
    caption=(
        "Without the inhibitor, the squared error of the weak feature's output rises from {numbers.intact:value} to "
        "{numbers.without:value}, in units of the error of an output of 0 on a present feature. The rise is "
        "{numbers.rise:value} times that without another neuron that fires on the same samples. (a) Means over the "
        "motifs of each seed, in the same units; bars are medians. (b) Signed error of that output when both features "
        "are present, intact and without the inhibitor."
    ),
    alt=(
        "Two panels of points, one per seed. On the left the errors without the inhibitor lie above those of the "
        "intact model and of another neuron removed. On the right the signed errors intact and without the inhibitor."
    ),
)
def draw_removed(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2)
    square = dict(zip(("intact", "no inhibitor", "another removed"), result.ablation[:, :3].T, strict=True))
    plotting.distribution_strip(left, square)
    left.set_ylabel("squared error of output $j$")
    plotting.distribution_strip(right, dict(zip(("intact", "no inhibitor"), result.ablation[:, 3:].T, strict=True)))
    right.set_ylabel("signed error, both present")
    plotting.guide(right, 0.0)
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "inhibition-occurs",
    title="The asymmetric motif occurs more often than chance explains",
    statements=("F2",),
    source=SECTION,
    test=(
        "Twenty features, ten neurons, importance 0.8 to the i, density 0.1. Motifs per model: a neuron that serves "
        "two features, its inputs at least 2 to 1 and its read-outs the inverse within 30 %, and another that writes "
        "less than -0.5 into the weak feature's output per unit of the strong one. Null: the read-outs of all neurons "
        "are exchanged. The paper's criterion, at least one in a quarter of seeds, is asked as well."
    ),
    criterion=Criterion(
        supported_if(where(occurs=Above(0.25, label="25 %")) & AboveThat("motifs", "by_chance")),
        refuted_if(BelowThat("motifs", "by_chance")),
        refuted_if(where(occurs=Below(0.25, label="25 %"))),
        names={
            "motifs": "the number of motifs",
            "by_chance": "the number by chance",
            "occurs": "the share of seeds with one",
        },
    ),
    figures=("inhibition-counts", "inhibition-motif"),
)
def occurs(result: Result) -> Evidence:
    found = result.at["0.1"]
    return Evidence(motifs=found.motifs, by_chance=found.by_chance, occurs=found.occurs)


@experiment.claim(
    "inhibition-needed",
    title="Neurons that serve two features unequally have an inhibitor more often than by chance",
    statements=("F2",),
    test=(
        "Density 0.1. Share of unequally served pairs with an inhibitor, against the share when all other neurons "
        "exchange their read-outs."
    ),
    criterion=Criterion(
        supported_if(AboveThat("inhibited", "by_chance")),
        refuted_if(BelowThat("inhibited", "by_chance")),
        names={"inhibited": "the share inhibited", "by_chance": "the share by chance"},
    ),
    figures=("inhibition-counts",),
)
def needed(result: Result) -> Evidence:
    return Evidence(inhibited=result.at["0.1"].inhibited, by_chance=result.at["0.1"].inhibited_by_chance)


@experiment.claim(
    "inhibition-removed",
    title="Removing the inhibitor raises the error at least three times as much as removing another neuron",
    statements=("F2",),
    source=SECTION,
    test=(
        "Density 0.1, all motifs. Rise of the squared error of the weak feature's output when the inhibitor is "
        "removed, on samples with the strong feature and without the weak one, over the mean rise when another neuron "
        "that fires on these samples is removed; and the signed error of that output without the inhibitor when both "
        "features are present."
    ),
    criterion=Criterion(
        supported_if(where(rise=Above(3), error=Above(0))),
        refuted_if(where(rise=Below(3))),
        refuted_if(where(error=Below(0))),
        otherwise=Verdict.INCONCLUSIVE,
        names={"rise": "the ratio of rises", "error": "the signed error"},
    ),
    figures=("inhibition-removed",),
)
def removed(result: Result) -> Evidence:
    return Evidence(rise=result.numbers.rise, error=result.numbers.error_after)


@experiment.claim(
    "inhibition-explains",
    title="More than half of the features that share a neuron take part in a motif",
    test=(
        "Density 0.1. Of the features that are served, to at least a quarter, by a neuron that serves another as well, "
        "the share that take part in a motif."
    ),
    criterion=above(0.5),
    figures=("inhibition-counts",),
)
def explains(result: Result) -> Quantity:
    return result.at["0.1"].explained
