"""Is it the hidden layer that computes the absolute value? Models without its ReLU, with random neurons, and others.

Half the size of `absolute_value`, the same shape: fifty features, twenty neurons, equal importance.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.computation.shared.absolute import (
    ORDINARY,
    Start,
    Training,
    absolute,
    relative_errors,
    trained_at,
)
from experiments.computation.shared.baselines import best_allocation, bias_alone, one_neuron
from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    Verdict,
    Within,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One kind of model; `start` replaces the usual one."""

    label: str
    relu_hidden: bool = True
    relu_output: bool = True
    learn_W: bool = True
    start: Start | None = None


CASES = {
    "trained": Case("trained as usual"),
    "random": Case("random neurons", learn_W=False, start=Start(scale=1.0)),
    "linear": Case("no hidden ReLU", relu_hidden=False),
    "no_relu": Case("no ReLU at all", relu_hidden=False, relu_output=False),
    "ordinary": Case("ordinary start", start=ORDINARY),
}


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: int = 50
    hidden: int = 20
    p: tuple[float, ...] = (1.0, 0.1, 0.01)
    training: Training = field(default_factory=lambda: Training(steps=2500, batch=128, most=512))
    samples: int = 20_000  # of the evaluation, in each of which a feature is present


@dataclass(frozen=True)
class Found:
    """One kind of model at one density; quantities over seeds."""

    ratio: Quantity  # loss over B, the best allocation's
    over_bias: Quantity  # loss over that of a bias alone
    computed: Quantity  # features with an error below r1/2
    best_feature: Quantity  # the least error of a feature, over that of an output of 0


@dataclass(frozen=True)
class Numbers:
    """Differences inside a seed, at the smallest density."""

    more_than_random: Quantity  # features computed, trained less random neurons
    more_than_ordinary: Quantity  # features computed, trained less ordinary start


@dataclass(frozen=True)
class Result:
    """Errors are shares of that of an output of 0; cases in the order of `CASES`."""

    p: Array  # (density,)
    error: Array  # (case, density, seed, feature)
    ratio: Array  # (case, density, seed)
    computed: Array  # (case, density, seed)
    numbers: Numbers
    at: dict[str, Found] = keyed(lambda config: [f"{case}, {p:g}" for case in CASES for p in config.p])


experiment = Experiment(
    __name__,
    title="Controls for the absolute value",
    config=Config(),
    quick=Config(seeds=3, features=20, hidden=8, training=Training(steps=400, most=1024), samples=3000),
    large=Config(seeds=32, features=100, hidden=40, training=Training(steps=10_000)),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.p)
    error = np.stack([_errors(config, place, device) for place in range(len(CASES))])
    best = np.array([best_allocation(each, np.ones(config.features), config.hidden) for each in config.p])
    ratio = error.mean(-1) / best[None, :, None]
    computed = (error < one_neuron(p)[None, :, None, None] / 2).sum(-1).astype(np.float64)
    at = {
        f"{case}, {each:g}": _found(error[place, row], ratio[place, row], computed[place, row], each)
        for place, case in enumerate(CASES)
        for row, each in enumerate(config.p)
    }
    rare = dict(zip(CASES, computed[:, int(np.argmin(p))], strict=True))
    numbers = Numbers(
        mean(rare["trained"] - rare["random"], "features"), mean(rare["trained"] - rare["ordinary"], "features")
    )
    return Result(p, error, ratio, computed, numbers, at)


def _errors(config: Config, place: int, device: str) -> Array:
    """Train one kind of model at every density and return its errors (density, seed, feature)."""
    case = list(CASES.values())[place]
    model = absolute(config.features, config.hidden, relu_hidden=case.relu_hidden, relu_output=case.relu_output)
    training = replace(config.training, start=case.start or config.training.start)
    importance = np.ones((1, config.features))
    found: list[Array] = []
    for p in config.p:
        advance("controls", (place + len(found) / len(config.p)) / len(CASES))
        shared = (config.seed, config.seeds)
        weights = trained_at(training, model, p, importance, *shared, device, learn_W=case.learn_W)
        found.append(relative_errors(weights, model, p, config.samples, *shared))
    return np.stack(found)


def _found(error: Array, ratio: Array, computed: Array, p: float) -> Found:
    return Found(
        ratio=mean(ratio),
        over_bias=mean(error.mean(-1) / float(bias_alone(p))),
        computed=mean(computed, "features", within=(0, error.shape[-1])),
        best_feature=mean(error.min(-1)),
    )


@experiment.figure(
    "absolute-controls",
    title="Controls: without hidden ReLUs, with random neurons, from an ordinary start",
    caption=(
        "With one feature in a hundred present, a model without a hidden ReLU has "
        "{at.linear, 0.01.ratio:value} of the loss of the best allocation and computes "
        "{at.linear, 0.01.computed:value} of fifty features; with a trained hidden ReLU layer it computes "
        "{at.trained, 0.01.computed:value}. "
        "(a) Loss over the best without superposition. (b) Features with an error below half of what one neuron "
        "and a bias leave; the faint line is half the number of neurons. Twenty neurons, equal importance."
    ),
    alt=(
        "Two panels with a line for each of five kinds of model over the feature probability. On the left several "
        "kinds fall below one as features become rare; on the right only models with trained neurons rise."
    ),
    interval="95 % Student t interval over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.5)
    for index, case in enumerate(CASES.values()):
        style: dict[str, Any] = {"label": case.label, "index": index, "marker": "os^Dv"[index]}
        plotting.seed_band(left, result.p, result.ratio[index], **style)
        plotting.seed_band(right, result.p, result.computed[index], **style)
    left.set(ylabel="loss / best without superposition", ylim=(0, None))
    plotting.theory_level(left, 1.0, label="best without superposition")
    right.set(ylabel="features computed", ylim=(-1, result.error.shape[-1] * 1.02))
    plotting.guide(right, 0.4 * result.error.shape[-1] / 2)
    for ax in (left, right):
        plotting.density_axis(ax, ticks=result.p.tolist())
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.claim(
    "absolute-no-relu",
    title="Without any ReLU, a model approximates the absolute value no better than a bias does",
    statements=("F2",),
    test="Untied two-layer models, hidden layer and output linear. Statistic: loss over that of a bias alone.",
    criterion=Criterion(
        supported_if(where(ratio=Every(each=Within(0.99, high=1.01), of="density"))),
        refuted_if(where(ratio=Every(each=Below(0.99), of="density"))),
        otherwise=Verdict.MIXED,
        names={"ratio": "the ratio"},
    ),
    figures=("absolute-controls",),
)
def no_relu(result: Result) -> Evidence:
    found = tuple(result.at[f"no_relu, {p:g}"].over_bias for p in result.p)
    return Evidence(statistic=found[-1], ratio=found)


@experiment.claim(
    "absolute-linear-hidden",
    title="Without the hidden ReLU, superposed storage lowers the loss, but no feature is computed",
    statements=("F1", "F2"),
    test=(
        "Hidden layer linear, ReLU at the output, density 0.01: loss over B, the best without superposition, "
        "and the number of features with an error below r1/2."
    ),
    criterion=Criterion(
        supported_if(where(ratio=Below(0.9), computed=Below(1))),
        refuted_if(where(ratio=Above(0.9))),
        refuted_if(where(computed=Above(1))),
        names={"ratio": "the ratio", "computed": "the number of features"},
    ),
    figures=("absolute-controls",),
)
def linear_hidden(result: Result) -> Evidence:
    found = result.at["linear, 0.01"]
    return Evidence(ratio=found.ratio, computed=found.computed)


@experiment.claim(
    "absolute-learned-neurons",
    title="Learned neurons compute more features in superposition than random ones",
    statements=("F2",),
    test=(
        "Density 0.01. Number of features computed, models that learn W less models whose random W is kept while R and "
        "b are learned; mean over seeds, which share their start of R."
    ),
    criterion=above(0),
    figures=("absolute-controls",),
)
def learned_neurons(result: Result) -> Quantity:
    return result.numbers.more_than_random


@experiment.claim(
    "absolute-start",
    title="From an ordinary start a model computes far fewer rare features",
    test=(
        "Density 0.01. Number of features computed, the start of this page less the ordinary one: Xavier, read-out of "
        "both signs, full learning rate from the first step; mean over seeds, against half of the features."
    ),
    criterion=above(25, refuted_below=0),
    figures=("absolute-controls",),
)
def start(result: Result) -> Quantity:
    return result.numbers.more_than_ordinary
