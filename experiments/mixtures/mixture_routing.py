"""Which router, and for which data: routers compared on features between independent and clustered. Statement H3.

A router should help most where the input tells which expert is needed. Features come in clusters, and *purity* says how
much a sample keeps to one of them. Ten routers share everything else: five experts of four hidden units.
"""

from typing import Any

from matplotlib.figure import Figure

from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Evidence,
    below,
)
from experiments.core.quantities import Quantity
from experiments.mixtures.shared.mixture_claims import AVOIDS
from experiments.mixtures.shared.mixture_figures import rows_of_models
from experiments.mixtures.shared.mixture_statistics import TOLERANCE
from experiments.mixtures.shared.routing_results import LEARNED, Config, Result, compare_routers

experiment = Experiment(
    __name__,
    title="Routers and clusters",
    config=Config(),
    quick=Config(seeds=3, purity=(0.0, 1.0), bottlenecks=(4,), batch=128, steps=60, evaluation=8),
    large=Config(seeds=32, purity=(0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0), batch=1024, steps=3000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return compare_routers(config)


SHOWN = ("Xavier gate", "K-hot gate", "gate with gradient", "bottleneck gate", "hash", "cluster known")


@experiment.figure(
    "mixtures-purity",
    title="The value of routing against the purity of clusters",
    caption=(
        "From independent features to pure clusters, the loss of the best learned router over that of the dense model "
        "of equal cost changes by a factor of {numbers.purity_gain:.2f}. Loss on common samples over that of the dense "
        "model with as many multiply-adds, against purity (0: independent features; 1: only "
        "features of the sample's own cluster occur). Five experts of four hidden units, one active; a router that is "
        "told the cluster counts as costing as much as a gate."
    ),
    alt="Six lines of the ratio of losses against purity, one per router, with a line at one.",
    interval="95 % Student t interval over seeds",
)
def draw_purity(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.6)
    names = list(result.routers)
    for index, name in enumerate(SHOWN):
        style: dict[str, Any] = {"label": name, "index": index, "marker": "os^Dvd"[index]}
        plotting.seed_band(ax, result.purity, result.cost[names.index(name)], **style)
    plotting.guide(ax, 1.0)
    ax.set(xlabel="purity of clusters", ylabel="loss over dense of equal cost", ylim=(0, None))
    plotting.legend(ax, columns=3)
    return figure


@experiment.figure(
    "mixtures-routers",
    title="Ten routers on independent and on clustered features",
    caption=(
        "With pure clusters the best learned router has {numbers.gate_against_label:.2f} times the loss of one that "
        "is told the cluster; on independent features it has {numbers.gate_against_hash:.2f} times the loss of a hash. "
        "(a, b) Loss over that of the dense model of equal cost. (c) Routed interference with pure "
        "clusters, as a share of the input's energy."
    ),
    alt="Three panels with a row per router: ratio of losses on independent features, on clusters, and interference.",
    interval="95 % Student t interval over seeds; of the mean logarithm for ratios",
)
def draw_routers(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.3, sharey=True)
    fields = ("cost_independent", "cost_pure", "routed")
    titles = ("independent features", "pure clusters", "pure clusters")
    found = [[getattr(each, field) for each in result.routers.values()] for field in fields]
    rows_of_models(axes, list(result.routers), found)
    for ax, field, title in zip(axes, fields, titles, strict=True):
        ax.set(title=title, xlabel="routed interference" if field == "routed" else "loss over dense of equal cost")
        ax.set_xlim(0, None)
        if field != "routed":
            plotting.guide(ax, 1.0, vertical=True)
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "mixtures-clusters-parameters",
    title="With pure clusters a mixture is competitive with a dense model of as many parameters",
    statements=("H1",),
    test=(
        "Loss on samples that hold features of one cluster only, over that of the dense model with as many parameters, "
        "for every router that is not told anything: geometric mean over seeds of the best."
    ),
    criterion=below(TOLERANCE),
    figures=("mixtures-routers",),
)
def clusters_parameters(result: Result) -> Quantity:
    return result.numbers.least_total_pure


@experiment.claim(
    "mixtures-clusters-avoid-superposition",
    title="A mixture avoids superposition at a competitive loss, on pure clusters",
    statements=("H3",),
    test=(
        "As for independent features: the larger of loss over 1.05 times that of the best matched dense model and "
        "routed interference over that model's, with pure clusters, for every router that is not told anything."
    ),
    criterion=AVOIDS,
    figures=("mixtures-routers",),
)
def clusters_avoid(result: Result) -> Evidence:
    scores = tuple(each.avoidance for each in list(result.routers.values())[:LEARNED])
    return Evidence(least=result.numbers.least_avoidance_pure, scores=scores)


@experiment.claim(
    "mixtures-clusters-less-interference-cost",
    title="On pure clusters, a mixture has less interference than a dense model of its cost, at a competitive loss",
    statements=("H3",),
    test="As above, against the dense model of equal cost alone, for every router that is not told anything.",
    criterion=AVOIDS,
    figures=("mixtures-routers",),
)
def clusters_avoid_cost(result: Result) -> Evidence:
    scores = tuple(each.avoidance_cost for each in list(result.routers.values())[:LEARNED])
    return Evidence(least=result.numbers.least_avoidance_cost_pure, scores=scores)


@experiment.claim(
    "mixtures-clusters-bottleneck-avoids",
    title="A top-k bottleneck without experts avoids superposition at a competitive loss, on pure clusters",
    statements=("H3",),
    test="As for mixtures, for every top-k bottleneck: interference is counted over the hidden units in use.",
    criterion=AVOIDS,
    figures=("mixtures-purity",),
)
def clusters_bottleneck(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_bottleneck_avoidance_pure, scores=result.bottlenecks)


@experiment.claim(
    "mixtures-purity-helps",
    title="Routing helps more when a sample keeps to one cluster",
    statements=("H3",),
    test=(
        "Loss of the best learned router over that of the dense model of equal cost: with pure clusters over the same "
        "with independent features."
    ),
    criterion=below(1.0),
    figures=("mixtures-purity",),
)
def purity_helps(result: Result) -> Quantity:
    return result.numbers.purity_gain


@experiment.claim(
    "mixtures-gate-finds-clusters",
    title="A learned gate does as well as one that is told the cluster",
    statements=("H3",),
    test="Loss of the best learned router with one active expert over that of the router that knows the cluster.",
    criterion=below(TOLERANCE),
    figures=("mixtures-routers",),
)
def finds_clusters(result: Result) -> Quantity:
    return result.numbers.gate_against_label


@experiment.claim(
    "mixtures-gate-beats-hash",
    title="A learned gate does better than a hash of the strongest feature, on independent features",
    statements=("H3",),
    test="Loss of the best learned router with one active expert over that of the hash, independent features.",
    criterion=below(1.0),
    figures=("mixtures-routers",),
)
def beats_hash(result: Result) -> Quantity:
    return result.numbers.gate_against_hash


@experiment.claim(
    "mixtures-bottleneck-router",
    title="A router that reads only the hidden units does as well as one that reads all inputs",
    statements=("H3",),
    test="Loss with a gate on the hidden units over that with a gate on the inputs, geometric mean over purities.",
    criterion=below(TOLERANCE),
    figures=("mixtures-purity",),
)
def bottleneck_router(result: Result) -> Quantity:
    return result.numbers.bottleneck_against_input


@experiment.claim(
    "mixtures-balance-helps",
    title="Load balancing lowers the loss",
    statements=("H3",),
    test="Loss with over loss without the load-balancing term, both starts of the gate, geometric mean over purities.",
    criterion=below(1.0),
    figures=("mixtures-routers",),
)
def balance(result: Result) -> Quantity:
    return result.numbers.balanced
