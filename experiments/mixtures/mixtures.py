"""Mixtures of experts: does routing make superposition unnecessary? Statements H1 to H3, independent features.

Mixtures of autoencoders of a hundred features and twenty hidden units in all, beside dense models that match them in
hidden units, in parameters, in active parameters and in multiply-adds, and beside a top-k bottleneck without experts.
"""

from matplotlib.figure import Figure

from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    Some,
    Verdict,
    Within,
    above,
    less_than,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity
from experiments.mixtures.shared.mixture_claims import AVOIDS
from experiments.mixtures.shared.mixture_comparison import compare
from experiments.mixtures.shared.mixture_figures import frontier_figure, interference_figure, rows_of_models
from experiments.mixtures.shared.mixture_results import Config, Result
from experiments.mixtures.shared.mixture_statistics import TOLERANCE

experiment = Experiment(
    __name__,
    title="Mixtures of experts and their dense relatives",
    config=Config(),
    quick=Config(
        seeds=3,
        p=(1.0, 0.1, 0.01),
        batch=(32, 48, 128),
        xavier=((20, 1, 1), (20, 1, 4), (5, 4, 1), (5, 4, 2), (5, 4, 3), (4, 5, 1)),
        k_hot=((20, 1, 1), (5, 4, 1)),
        bottlenecks=(4,),
        steps=60,
        evaluation=8,
        longer=2,
    ),
    large=Config(
        seeds=32,
        xavier=(
            *((20, 1, active) for active in (1, 2, 3, 4, 5)),
            *((10, 2, active) for active in (1, 2, 3, 4, 5)),
            *((5, 4, active) for active in (1, 2, 3, 4)),
            *((4, 5, active) for active in (1, 2, 3)),
        ),
        batch=(128, 128, 256, 512, 1024, 2048),
        steps=3000,
        bottlenecks=(1, 2, 3, 4, 5),
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return compare(config)


@experiment.figure(
    "mixtures-frontier",
    title="Loss against cost",
    caption=(
        "With one feature in a hundred present, the best mixture has {numbers.least_cost_rare:.2f} times the loss of a "
        "dense model of the same cost and {numbers.least_total_rare:.2f} times that of a dense model with as many "
        "parameters. Loss on common samples, as a share of that of a model that always outputs the mean, against "
        "multiply-adds per sample with the gate included; mean over seeds, a point per model."
    ),
    alt=(
        "Three panels of loss against multiply-adds, one per density. A falling line of dense models, squares and "
        "diamonds for mixtures, triangles for the top-k bottleneck."
    ),
)
def draw_frontier(result: Result) -> Figure:
    return frontier_figure(result)


TITLES = {
    "hidden": "hidden units",
    "total": "parameters",
    "active": "active parameters",
    "cost": "multiply-adds",
}


@experiment.figure(
    "mixtures-against",
    title="Mixtures against four dense models",
    caption=(
        "With equal parameters the best mixture has {numbers.least_total:.2f} times the loss of the dense model, with "
        "equal multiply-adds {numbers.least_cost:.2f} times, with equal active parameters {numbers.least_active:.2f} "
        "times. A row per mixture, a panel for what the dense model has as many of: geometric mean over densities of "
        "the loss over that of the dense model. The line at {numbers.tolerance:.2f} is the limit of what counts as "
        "competitive."
    ),
    alt="Four panels with one row per mixture or bottleneck: a point for the ratio of losses, and a line near one.",
    interval="95 % Student t interval over seeds, of the mean logarithm",
)
def draw_against(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 4, width="wide", height=0.2 * len(result.compared) + 1.3, sharey=True)
    ratios = {
        title: [getattr(each.against, kind) for each in result.compared.values()] for kind, title in TITLES.items()
    }
    rows_of_models(axes, [name.replace(" x ", " × ") for name in result.compared], ratios.values(), limit=TOLERANCE)
    for ax, title in zip(axes, ratios, strict=True):
        ax.set(xscale="log", title=title, xlabel="ratio of losses")
        ticks = [0.5, 1, 2, 5, 10, 20] if title == TITLES["total"] else [0.5, 1, 2]
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "mixtures-interference",
    title="Interference and loss",
    caption=(
        "Mixtures have {numbers.least_same_loss:.2f} to {numbers.most_same_loss:.2f} times the interference of a dense "
        "model of the same loss. Routed interference (what reaches an expert's outputs from other features "
        "than their own, on the samples it works on, as a share of the input's energy) against the loss over that of "
        "a model that always outputs the mean; a point per model, mean over seeds; along the line, dense models from "
        "many hidden units (left) to one."
    ),
    alt="Three panels of routed interference against loss, one per density, with a line of dense models and symbols.",
)
def draw_interference(result: Result) -> Figure:
    return interference_figure(result)


@experiment.figure(
    "mixtures-experts",
    title="Features per dimension and the use of experts",
    caption=(
        "Twenty experts hold {numbers.more_experts:.2f} times the features per dimension of four, at one active expert "
        "and as many hidden units in all. Mixtures with one active expert and a Xavier gate (experts × hidden units), "
        "and the dense model. (a) Features per dimension, the squared norm of an expert's weights over its hidden "
        "units, mean over living experts. (b) Entropy of the use of experts over that of equal use."
    ),
    alt="Two panels over density: lines of features per dimension that rise as features get rarer, and of entropy.",
    interval="95 % Student t interval over seeds",
)
def draw_experts(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    names = list(result.compared)
    shown = [name for name in names if name.endswith("top-1, Xavier")]
    for index, name in enumerate(shown):
        place, label = names.index(name), name.split(",")[0].replace(" x ", " × ")
        plotting.seed_band(left, result.p, result.mass_per_unit[place], label=label, index=index, marker="o")
        plotting.seed_band(right, result.p, result.entropy[place], label=label, index=index, marker="o", within=(0, 1))
    plotting.seed_band(left, result.p, result.mass_dense, label="dense", index=5, marker="^")
    for ax in (left, right):
        plotting.density_axis(ax, ticks=[float(p) for p in result.p])
    left.set(ylabel="features per dimension", ylim=(0, None))
    right.set(ylabel="evenness of use", ylim=(0, 1.03))
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


COMPETITIVE = Criterion(
    supported_if(where(ratios=Some(each=Below(TOLERANCE), of="mixture"))),
    refuted_if(where(ratios=Every(each=Above(TOLERANCE), of="mixture"))),
    names={"ratios": "the ratio"},
)


def _ratios(result: Result, kind: str) -> tuple[Quantity, ...]:
    return tuple(getattr(each.against, kind) for name, each in result.compared.items() if "bottleneck" not in name)


@experiment.claim(
    "mixtures-competitive-parameters",
    title="A mixture of experts is competitive with a dense model of as many parameters",
    statements=("H1",),
    test=(
        "Loss on common samples over that of the dense model with as many parameters, gate included: geometric mean "
        "over densities, for every mixture."
    ),
    criterion=COMPETITIVE,
    figures=("mixtures-against", "mixtures-frontier"),
)
def against_parameters(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_total, ratios=_ratios(result, "total"))


@experiment.claim(
    "mixtures-competitive-cost",
    title="A mixture of experts is competitive with a dense model of the same cost",
    statements=("H1", "H2"),
    test=(
        "Loss on common samples over that of the dense model with as many multiply-adds, the gate's included: "
        "geometric mean over densities, for every mixture."
    ),
    criterion=COMPETITIVE,
    figures=("mixtures-against", "mixtures-frontier"),
)
def against_cost(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_cost, ratios=_ratios(result, "cost"))


@experiment.claim(
    "mixtures-competitive-active",
    title="A mixture of experts is competitive with a dense model of as many active parameters",
    statements=("H1",),
    test=(
        "Loss on common samples over that of the dense model with as many parameters as the active experts have, the "
        "gate's left out: geometric mean over densities, for every mixture."
    ),
    criterion=COMPETITIVE,
    figures=("mixtures-against",),
)
def against_active(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_active, ratios=_ratios(result, "active"))


@experiment.claim(
    "mixtures-cheaper",
    title="A mixture does less arithmetic than the dense model with as many hidden units",
    statements=("H2",),
    test="Multiply-adds per sample, gate included, over those of the dense model: the largest ratio of all mixtures.",
    criterion=less_than(1.0),
    figures=("mixtures-frontier",),
)
def cheaper(result: Result) -> Quantity:
    return result.numbers.most_cost_share


@experiment.claim(
    "mixtures-idle-experts-free",
    title="Choosing experts adds less than a tenth to the arithmetic of the chosen ones",
    statements=("H2",),
    test=(
        "Multiply-adds of the gate and of weighing the outputs over those of the active experts: the least ratio of "
        "all mixtures."
    ),
    criterion=less_than(0.1),
    figures=("mixtures-frontier",),
)
def routing_cost(result: Result) -> Quantity:
    return result.numbers.least_routing_share


@experiment.claim(
    "mixtures-avoid-superposition",
    title="A mixture avoids superposition at a competitive loss, on independent features",
    statements=("H3",),
    test=(
        "At each density the mixture is compared with the matched dense model of least loss. Two ratios, geometric "
        "means over densities: loss over 1.05 times that loss, and routed interference over that interference. The "
        "larger of the two, for every mixture; below 1 means less interference at a competitive loss."
    ),
    criterion=AVOIDS,
    figures=("mixtures-interference",),
)
def mixtures_avoid(result: Result) -> Evidence:
    scores = tuple(each.avoidance for name, each in result.compared.items() if "bottleneck" not in name)
    return Evidence(least=result.numbers.least_avoidance, scores=scores)


@experiment.claim(
    "mixtures-bottleneck-avoids-superposition",
    title="A top-k bottleneck without experts avoids superposition at a competitive loss",
    statements=("H3",),
    test="As for mixtures, for every top-k bottleneck: interference is counted over the hidden units in use.",
    criterion=AVOIDS,
    figures=("mixtures-interference",),
)
def bottlenecks_avoid(result: Result) -> Evidence:
    scores = tuple(each.avoidance for name, each in result.compared.items() if "bottleneck" in name)
    return Evidence(least=result.numbers.least_bottleneck_avoidance, scores=scores)


@experiment.claim(
    "mixtures-less-interference-cost",
    title="A mixture has less interference than a dense model of its cost, at a competitive loss",
    statements=("H3",),
    test=(
        "As for avoiding superposition, against the dense model of equal multiply-adds alone, for every mixture. "
        "Added after a first run with other seeds."
    ),
    criterion=AVOIDS,
    figures=("mixtures-interference",),
)
def less_interference_cost(result: Result) -> Evidence:
    scores = tuple(each.avoidance_cost for name, each in result.compared.items() if "bottleneck" not in name)
    return Evidence(least=result.numbers.least_avoidance_cost, scores=scores)


@experiment.claim(
    "mixtures-less-interference-loss",
    title="Mixtures have less interference than dense models of the same loss",
    statements=("H3",),
    test=(
        "Routed interference over that of the dense model that has the same loss, interpolated between sizes: "
        "geometric mean over densities, for every mixture. Added after a first run with other seeds."
    ),
    criterion=Criterion(
        supported_if(where(ratios=Every(each=Below(1.0), of="mixture"))),
        refuted_if(where(ratios=Every(each=Above(1.0), of="mixture"))),
        otherwise=Verdict.MIXED,
        names={"ratios": "the ratio"},
    ),
    figures=("mixtures-interference",),
)
def less_interference_loss(result: Result) -> Evidence:
    ratios = tuple(each.same_loss for name, each in result.compared.items() if "bottleneck" not in name)
    return Evidence(most=result.numbers.most_same_loss, ratios=ratios)


@experiment.claim(
    "mixtures-more-experts",
    title="More experts hold fewer features per dimension",
    statements=("H3",),
    source="Chaudhari et al. 2025",
    test=(
        "Features per dimension, ‖W‖² over hidden units, mean over living experts: most over fewest experts, geometric "
        "mean over densities; with as many hidden units in all and one active expert, and with as many active units."
    ),
    criterion=Criterion(
        supported_if(where(total=Below(1.0), active=Below(1.0))),
        refuted_if(where(total=Above(1.0), active=Above(1.0))),
        otherwise=Verdict.MIXED,
        names={"total": "the ratio at equal hidden units", "active": "the ratio at equal active units"},
    ),
    figures=("mixtures-experts",),
)
def more_experts(result: Result) -> Evidence:
    return Evidence(total=result.numbers.more_experts, active=result.numbers.more_experts_active)


@experiment.claim(
    "mixtures-gate-start",
    title="Most features stay with the expert that the start of the gate gave them",
    statements=("H3",),
    source="Chaudhari et al. 2025",
    test=(
        "Share of features whose best expert after training is that of the start. Only mixtures with several active "
        "experts count: with one, the renormalised weight is always 1 and the gate gets no gradient."
    ),
    criterion=above(0.5),
    figures=("mixtures-against",),
)
def gate_start(result: Result) -> Quantity:
    return result.numbers.gate_kept


@experiment.claim(
    "mixtures-published-average",
    title="Averaged over common densities, some mixture's loss exceeds the dense model's by a fifth to a third",
    source="Chaudhari et al. 2025",
    test=(
        "Mean loss over densities of at least 0.1, over that of the dense model with as many hidden units, less 1: for "
        "every mixture; shown is the least. Published are 0.0887 and 0.0827 against 0.0682, an excess of 30 % and 21 %."
    ),
    criterion=Criterion(
        supported_if(where(excess=Some(each=Within(0.16, high=0.35), of="mixture"))),
        otherwise=Verdict.REFUTED,
        names={"excess": "the excess"},
    ),
    figures=("mixtures-against",),
)
def published(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_published, excess=tuple(result.published.values()))
