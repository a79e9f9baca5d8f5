"""Do features jump between levels of dimensionality, and does the loss fall when they do?

Elhage et al. 2022, "Superposition and Learning Dynamics", discrete "energy level" jumps. Many equal features, few
dimensions, a density at which training ends with antipodal pairs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import (
    AtLeast,
    Criterion,
    Evidence,
    LessThan,
    Verdict,
    above,
    below,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.losses.evaluation import evaluate
from experiments.core.metrics import dimensionality, represented
from experiments.core.quantities import Quantity, bootstrap, exact, mean, median, share
from experiments.core.training.specification import Data, Model, Recipe, Trained, Weights
from experiments.core.training.train import train
from experiments.core.views import Frames
from experiments.dynamics.shared.courses import share_near, sharpness_of
from experiments.dynamics.shared.level_events import (
    DECAY,
    WINDOW,
    Events,
    coincidence,
    fall_around,
    find_events,
    null_shares,
)
from experiments.dynamics.shared.level_figures import moving_levels

SECTION = 'Toy Models of Superposition, "Superposition and Learning Dynamics"'

PAIR = 0.02
"""A feature is in an antipodal pair when its dimensionality is this close to 1/2."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 23
    seeds: int = 32
    features: int = 100  # the paper's uniform models have 400 and 30; `large` has them
    hidden: int = 10
    density: float = 0.3  # 1/(1-S) = 3.3, where antipodal pairs win
    steps: int = 12_000
    batch: int = 256
    learning_rate: float = 2e-3  # a tenth of it in the last fifth of training
    every: int = 60  # steps between snapshots
    samples: int = 4096  # of each seed, one set for its whole course
    shuffles: int = 1000


@dataclass(frozen=True)
class Numbers:
    """`coincide` is the share of change-points with a jump, `*_share` the same under each null, and `*_p` its p-value.

    `late_jumps` is the share of seeds that have one, `jumps` and `changes` are numbers per seed, `jumps_with_fall` is
    the share of jumps with a change-point, `partner` that of jumps which add one represented feature. `pairs` is the
    share of represented features that end at 1/2, `represented` their number at the end.
    """

    coincide: Quantity
    scattered_share: Quantity
    shifted_share: Quantity
    scattered_p: Quantity
    shifted_p: Quantity
    late_jumps: Quantity
    jumps: Quantity
    changes: Quantity
    jumps_with_fall: Quantity
    pairs: Quantity
    represented: Quantity
    partner: Quantity
    sharpness: Quantity


@dataclass(frozen=True)
class Result:
    """Courses of the model shown, and events of all.

    `levels` is the dimensionality of every feature of the seed with most late jumps, `lives` whether it ends
    represented. Events are jumps of features and change-points of the loss. `around` is the mean fall of ln(loss)
    within one window, over seeds with late jumps, `offsets` shares of training away from a jump; `shuffled_around` is
    the middle 95 % of it under shifted jumps. `null_shares` is the share of change-points near a jump when jumps are
    scattered, and when they are shifted. `sharpness` is the median over features of the time from half to nine tenths
    of the final dimensionality over that of a sigmoid with the same start and middle.
    """

    steps: NDArray[np.int64]  # (time,)
    shown: int
    levels: NDArray[np.float32]  # (time, feature)
    lives: NDArray[np.bool_]  # (feature,)
    loss: NDArray[np.float64]  # (seed, time), on one set of samples per seed
    jump_seed: NDArray[np.int64]  # (jump,)
    jump_step: NDArray[np.int64]  # (jump,)
    change_seed: NDArray[np.int64]  # (change-point,)
    change_step: NDArray[np.int64]  # (change-point,)
    offsets: NDArray[np.float64]  # (offset,)
    around: NDArray[np.float64]  # (offset,)
    shuffled_around: NDArray[np.float64]  # (2, offset)
    null_shares: NDArray[np.float64]  # (2, shuffle)
    numbers: Numbers
    sharpness: NDArray[np.float64] = undefined(  # (seed,)
        "every feature that ends represented started beyond half of its end"
    )


experiment = Experiment(
    __name__,
    title="Energy levels of features",
    config=Config(),
    quick=Config(seeds=4, steps=6000, batch=128, samples=1024, shuffles=200),
    large=Config(features=400, hidden=30, density=0.35, seeds=64),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    trained = _trained(config, device)
    steps = np.array(trained.steps)
    W = np.stack([kept.W for kept in trained.snapshots], axis=1)  # (seed, time, hidden, feature)
    levels, live = dimensionality(W), represented(W)
    lives = live[:, -1]
    loss = _losses(config, trained)
    window = max(1, round(WINDOW * (len(steps) - 1)))
    events = [find_events(level, np.log(each), window) for level, each in zip(levels, loss, strict=True)]
    shown = int(np.argmax([len(each.jumps) for each in events]))
    generator = np.random.default_rng(config.seed)
    nulls = null_shares(events, len(steps), window, config.shuffles, generator)
    around = fall_around(events, loss, window, generator, config.shuffles)
    sharpness = np.array([sharpness_of(level[:, alive].T, steps) for level, alive in zip(levels, lives, strict=True)])
    jump_seed, jump_step = _flat([each.jumps for each in events], steps)
    change_seed, change_step = _flat([each.changes for each in events], steps)
    paired = [(np.abs(level[-1, alive] - 0.5) < PAIR).mean() for level, alive in zip(levels, lives, strict=True)]
    return Result(
        steps=steps,
        shown=shown,
        levels=levels[shown].astype(np.float32),
        lives=lives[shown],
        loss=loss,
        jump_seed=jump_seed,
        jump_step=jump_step,
        change_seed=change_seed,
        change_step=change_step,
        offsets=around[0],
        around=around[1],
        shuffled_around=around[2],
        null_shares=nulls,
        sharpness=sharpness,
        numbers=_numbers(events, nulls, window, paired, live.sum(-1), sharpness),
    )


def _trained(config: Config, device: str) -> Trained:
    return train(
        Data(config.density),
        Model(config.features, config.hidden),
        Recipe(
            steps=config.steps,
            batch=config.batch,
            learning_rate=config.learning_rate,
            schedule="step",
            step_at=DECAY,
            snapshots=tuple(range(0, config.steps + 1, config.every)),
            seed=config.seed,
        ),
        instances=config.seeds,
        device=device,
    )


def _losses(config: Config, trained: Trained) -> Array:
    """Return the loss of every kept model, (seed, time), each seed's on one set of samples of its own."""
    data, model = Data(config.density), Model(config.features, config.hidden)
    return np.stack(
        [
            evaluate(
                Weights(
                    np.stack([kept.W[k] for kept in trained.snapshots]),
                    np.stack([kept.b[k] for kept in trained.snapshots]),
                ),
                data,
                model,
                samples=config.samples,
                seed=config.seed + k,
            ).loss
            for k in range(config.seeds)
        ]
    )


def _flat(times: list[Array], steps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return seeds and steps of events given per seed as fractional indices of snapshots."""
    seeds = np.repeat(np.arange(len(times)), [len(each) for each in times])
    at = np.interp(np.concatenate([*times, np.zeros(0)]), np.arange(len(steps)), steps)
    return seeds, np.round(at).astype(np.int64)


def _numbers(
    events: list[Events], nulls: Array, window: int, paired: list[float], counts: Array, sharpness: Array
) -> Numbers:
    """Return what the page quotes of the events.

    `paired` (seed,) are shares of represented features that end at 1/2, `counts` (seed, time) numbers of represented
    features, `sharpness` (seed,) as in the result.
    """
    found = coincidence(events, window)
    with_jumps = np.array([len(each.jumps) for each in events])
    dropped = [share_near(each.jumps, each.changes, window) for each in events if len(each.jumps)]
    partners = np.array([_jumps_of_one(each, row, window) for each, row in zip(events, counts, strict=True)])
    chance = (1 + (nulls >= found.value).sum(axis=1)) / (1 + nulls.shape[1])
    return Numbers(
        coincide=found,
        scattered_share=exact(float(nulls[0].mean())),
        shifted_share=exact(float(nulls[1].mean())),
        scattered_p=exact(float(chance[0]), method="permutation test, one-sided"),
        shifted_p=exact(float(chance[1]), method="permutation test, one-sided"),
        late_jumps=share(with_jumps > 0),
        jumps=mean(with_jumps),
        changes=mean([len(each.changes) for each in events]),
        jumps_with_fall=mean(dropped, within=(0, 1)) if dropped else exact(0.0),
        pairs=median(paired),
        represented=median(counts[:, -1]),
        partner=bootstrap(lambda k: partners[k].sum() / max(with_jumps[k].sum(), 1), len(events)),
        sharpness=median(sharpness[np.isfinite(sharpness)]),
    )


def _jumps_of_one(events: Events, counts: Array, window: int) -> int:
    """Return how many late jumps of a seed add exactly one to its number of represented features, `counts` (time,)."""
    around = [(round(jump - 1.5 * window), round(jump + 1.5 * window)) for jump in events.jumps]
    return sum(int(counts[after] - counts[before] == 1) for before, after in around)


@experiment.figure(
    "energy-levels",
    title="Features jump to the level of antipodal pairs",
    caption="Most features go to 1/2, the level of a pair, or to 0 early; late jumps come with a fall of the loss. (a) "
    "Dimensionality $D_i$ of every feature over training, for the seed with most late jumps. (b) Loss on one set of "
    "samples, above its least; the last drop is that of the learning rate.",
    alt="Above, a hundred curves start between zero and a fifth; a fifth of them rise to one half, the others fall "
    "to zero. One rises well above one half and stays until, at the dotted line, it drops to one half as another "
    "jumps from zero to one half. Below, the loss falls in steps, one of them at the dotted line.",
)
def draw_levels(result: Result) -> Figure:
    figure, (upper, lower) = plotting.new_figure(2, 1, height=5.0, sharex=True, height_ratios=[1.6, 1.0])
    steps = result.steps[1:]
    named: set[bool] = set()
    for course, lives in zip(result.levels[1:].T, result.lives, strict=True):
        tone = plotting.colour("accent") if lives else plotting.colour("muted")
        places = np.unique(np.geomspace(1, len(steps), 70 if lives else 20).astype(int)) - 1  # the axis is logarithmic
        (line,) = upper.plot(steps[places], course[places], color=tone, linewidth=0.7, alpha=0.8, zorder=2 + lives)
        if bool(lives) not in named:
            named.add(bool(lives))
            line.set_label("ends represented" if lives else "ends absent")
    plotting.theory_level(upper, 0.5, label="antipodal pair")
    plotting.guide(upper, 1.0)
    upper.set(ylabel="dimensionality $D_i$", ylim=(-0.03, 1.05))
    loss = result.loss[result.shown]
    lower.plot(steps, loss[1:] - loss.min() + 1e-5, color=plotting.colour("accent"))
    lower.set(xscale="log", yscale="log", xlabel="step", ylabel="loss above its least", xlim=(60, steps[-1]))
    for place, step in enumerate(result.jump_step[result.jump_seed == result.shown]):
        for ax in (upper, lower):
            mark = ax.axvline(step, color=plotting.colour("contrast"), linestyle=":", linewidth=1.2)
            plotting.decoration(mark).set_label("" if place else "late jump")
    plotting.legend(upper)
    plotting.panel_letters([upper, lower])
    return figure


@experiment.view("energy-levels")
def move_levels(result: Result) -> Frames:
    return moving_levels(result.steps, result.levels, result.loss[result.shown], result.lives)


@experiment.figure(
    "energy-coincidence",
    title="The loss falls when a feature jumps",
    caption="Of all late falls of the loss {numbers.coincide:% value} come with a jump, more than chance gives. (a) "
    "Fall of ln(loss) within 2 % of training, at times before and after a late jump, mean over the seeds that have "
    "one; grey: the same with each seed's jumps shifted by up to 10 % of training. (b) Share of all change-points of "
    "the loss with a jump within 2 % of training, and under two nulls: jumps scattered over training, and shifted.",
    alt="Left, a curve that is flat around zero and has one tall peak at a jump, far above a grey band. Right, two "
    "histograms near zero and a line far to the right of both.",
    interval="The grey band holds the middle 95 % of shifted courses",
)
def draw_coincidence(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2)
    percent = 100 * result.offsets
    plotting.null_band(left, percent, *(1e2 * result.shuffled_around), label="shifted")
    left.plot(percent, 1e2 * result.around, color=plotting.colour("accent"), label="around jumps")
    left.set(xlabel="time after a jump (% of training)", ylabel="fall of ln(loss) × 100")
    plotting.legend(left)
    bins = np.linspace(0, 1, 41)
    for index, (name, shares) in enumerate(zip(("scattered", "shifted"), result.null_shares, strict=True)):
        right.hist(shares, bins=bins, color=plotting.series(index + 2), alpha=0.6, label=name)
    plotting.theory_level(right, result.numbers.coincide.value, label="measured", vertical=True)
    right.set(xlabel="share of change-points with a jump", ylabel="shuffles")
    plotting.legend(right)
    plotting.panel_letters([left, right])
    return figure


@experiment.claim(
    "energy-pairs",
    title="Nearly all represented features end on the level of an antipodal pair",
    statements=("D1",),
    source=SECTION,
    test="Final model of each seed. Statistic: median over seeds of the share of represented features whose "
    "dimensionality is within 0.02 of 1/2.",
    criterion=above(0.95),
    figures=("energy-levels",),
    published=Verdict.SUPPORTED,
)
def share_in_pairs(result: Result) -> Quantity:
    return result.numbers.pairs


@experiment.claim(
    "energy-coincidence",
    title="The loss drops when features jump between levels",
    statements=("D1", "D2"),
    source=SECTION,
    test="Between 10 % and 80 % of training: change-points are times at which ln(loss) falls within 2 % of training "
    "by more than six robust standard deviations above the median fall; jumps are changes of some dimensionality by "
    "more than 0.2 within 2 % of training. Statistic: share of change-points of all seeds with a jump within 2 % of "
    "training, and its permutation tests within seeds: jumps scattered over training, and shifted together by up to "
    "10 % of it, which keeps the trend.",
    criterion=Criterion(
        supported_if(where(scattered=LessThan(0.01), shifted=LessThan(0.01))),
        refuted_if(where(scattered=AtLeast(0.01), shifted=AtLeast(0.01))),
        otherwise=Verdict.MIXED,
        names={"scattered": "p with scattered jumps", "shifted": "p with shifted jumps"},
    ),
    figures=("energy-coincidence", "energy-levels"),
    published=Verdict.SUPPORTED,
)
def falls_with_a_jump(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(coincide=numbers.coincide, scattered=numbers.scattered_p, shifted=numbers.shifted_p)


@experiment.claim(
    "energy-sharp",
    title="A feature enters more suddenly than by logistic growth",
    statements=("D2",),
    test="Features that end represented. Time from half to nine tenths of the final dimensionality, over that of the "
    "logistic curve with the same start, middle and end, the course of a linear model. Statistic: median over seeds "
    "of the median over features.",
    criterion=below(1),
    figures=("energy-levels",),
    published=Verdict.SUPPORTED,
)
def time_against_logistic(result: Result) -> Quantity:
    return result.numbers.sharpness
