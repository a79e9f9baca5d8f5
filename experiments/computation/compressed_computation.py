"""Do fifty neurons compute a hundred ReLU functions? The dispute on compressed computation, with many seeds and the
baselines that decide it: Bhagat et al. 2026 (arXiv:2606.14673) say no, arXiv:2607.04800 says that the fourth power of
the error makes a network compute in superposition.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.computation.shared.compressed_results import Config, Result, disputed
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    Verdict,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, mean

AGAINST = "Bhagat et al. 2026, arXiv:2606.14673"
FOR = "arXiv:2607.04800"

TRAINED_WITH = ("square", "fourth power", "fourth power, linear network")
"""The arms in the words of the page; `ARMS` names them in results."""

experiment = Experiment(
    __name__,
    title="Compressed computation",
    config=Config(),
    quick=Config(
        seeds=4,
        features=24,
        hidden=12,
        p=0.04,
        steps=300,
        batch=128,
        samples=1 << 12,
        many=40,
        few=4,
        many_steps=300,
        many_batch=128,
    ),
    large=Config(
        seeds=32, steps=10_000, batch=1024, learning_rate=3e-3, samples=1 << 16, many_steps=10_000, many_batch=2048
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return disputed(config, device)


@experiment.figure(
    "compressed-scale",
    title="The gain over the naive half, by the size of the mixing matrix",
    caption=(
        "Networks seem to beat the naive half only where the labels are mixed, and against ReLU(x) itself the same "
        "networks are no better. Squared error in units of the naive half's, which computes as many functions as "
        "there are neurons. (a) Against the labels, against ReLU(x) alone, and the best linear map in closed form. "
        "(b) The error against the labels, from outputs whose feature is present and from all others. Mean over "
        "seeds with its interval."
    ),
    alt="Left, three curves over the scale of the mixing matrix: one starts near one and dips below it, one rises from "
    "near one, and one for the linear map starts high and falls. Right, the part of present features falls and "
    "crosstalk does not.",
    interval="95 % Student t interval over seeds",
)
def draw_scale(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2, sharey=True)
    scales = list(result.scales.values())
    errors = {"against the labels": "total", "against ReLU(x)": "clean", "best linear map, labels": "linear"}
    plotting.field_points(left, result.sigma, scales, errors)
    parts = {"feature present": "active", "crosstalk": "crosstalk"}
    plotting.field_points(right, result.sigma, scales, parts, indices=(3, 4))
    for ax in (left, right):
        plotting.guide(ax, 1.0)
        ax.set_xlabel(r"scale $\sigma$ of the mixing matrix")
        plotting.legend(ax, columns=1)
    left.set_ylabel("error / naive half")
    left.set_ylim(bottom=0)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "compressed-space",
    title="What the neurons read",
    caption=(
        "As mixing grows, the space that neurons read turns to the mixing matrix's top eigenspace. (a) Share of the "
        "space that neurons read that lies in it; random spaces share {numbers.chance:.2f}. (b) Nonlinearity per "
        "neuron, in ReLU functions; the naive half has one. Mean over seeds with its interval."
    ),
    alt="Left, the overlap rises from one half towards one. Right, the nonlinearity per neuron over the scale.",
    interval="95 % Student t interval over seeds",
)
def draw_space(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=2.9)
    scales = list(result.scales.values())
    plotting.field_points(left, result.sigma, scales, {"": "overlap"})
    plotting.theory_level(left, result.numbers.chance.value, label="random spaces")
    left.set(ylabel="overlap", ylim=(0, 1.02))
    plotting.legend(left)
    plotting.field_points(right, result.sigma, scales, {"": "functions"}, indices=(1,))
    plotting.guide(right, 1.0)
    right.set(ylabel="functions per neuron", ylim=(0, 1.1 * float(result.functions.mean(1).max())))
    for ax in (left, right):
        ax.set_xlabel(r"scale $\sigma$ of the mixing matrix")
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "compressed-losses",
    title="Two losses, three networks",
    caption=(
        "A network trained with the fourth power of the error has a smaller error of present features, and more "
        "crosstalk. Many features, few neurons, no mixing matrix. (a) Squared error in units of the naive half's. (b) "
        "Fourth power of the error over the naive half's. (c) Output i when feature i alone is present, mean over "
        "features and seeds; dashed: ReLU(x). Points are means over seeds with their intervals."
    ),
    alt="Left, for each of three networks the error of present features, crosstalk and their total. Middle, the fourth "
    "power. Right, response lines: with the fourth power bent at zero, for the linear network straight.",
    interval="95 % Student t interval over seeds",
)
def draw_losses(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.3, width_ratios=[1.4, 1, 1.1])
    for arm, label in enumerate(TRAINED_WITH):
        parts = [mean(part) for part in result.arm_errors[arm, :3]]
        plotting.points(left, np.arange(3) + 0.16 * (arm - 1), parts, label=label, index=arm)
        plotting.points(middle, [arm], [mean(result.arm_errors[arm, 3])], index=arm)
        ends = [result.fall[arm].mean(), 0.0, result.rise[arm].mean()]
        right.plot([-1.0, 0.0, 1.0], ends, color=plotting.series(arm), label=label)
    plotting.theory_line(right, [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    left.set_xticks(range(3), ["present", "crosstalk", "total"])
    middle.set_xticks(range(3), ["square", "fourth\npower", "fourth,\nlinear"])
    plotting.guide(left, 1.0)
    plotting.guide(middle, 1.0)
    left.set(ylabel="squared error / naive half", xlim=(-0.5, 2.5))
    middle.set(ylabel="fourth power / naive half", xlim=(-0.5, 2.5))
    right.set(xlabel="$x_i$", ylabel="$y_i$")
    for ax in (left, middle):
        ax.set_ylim(bottom=0)
    plotting.panel_letters((left, middle, right))
    plotting.legend(left, figure=figure, title="trained with")
    return figure


@experiment.claim(
    "compressed-no-mixing",
    title="Without a mixing matrix the network is no better than the naive half",
    statements=("F2",),
    source=AGAINST,
    test="Networks trained on ReLU(x) alone. Squared error on fresh samples over the naive half's.",
    criterion=Criterion(supported_if(Above(0.99)), refuted_if(Below(0.99))),
    figures=("compressed-scale",),
    published=Verdict.SUPPORTED,
)
def no_gain(result: Result) -> Quantity:
    return result.scales["0"].total


@experiment.claim(
    "compressed-mixing-gain",
    title="With a mixing matrix the network beats the naive half on the labels",
    statements=("F2",),
    source=AGAINST,
    test=(
        "Networks trained and judged on ReLU(x) + Mx, entries of M with a standard deviation of 0.02. Squared error "
        "over the naive half's, which is judged without the mixing, as in the public work."
    ),
    criterion=Criterion(supported_if(Below(1)), refuted_if(Above(1))),
    figures=("compressed-scale",),
    published=Verdict.SUPPORTED,
)
def gain(result: Result) -> Quantity:
    return result.scales["0.02"].total


@experiment.claim(
    "compressed-gain-computes",
    title="The network that gains by mixing also computes the ReLU functions better than the naive half",
    statements=("F2",),
    test=(
        "The same networks, judged against ReLU(x) alone. Squared error over the naive half's; if the gain were "
        "computation, the error on the functions themselves would be smaller than the naive half's."
    ),
    criterion=Criterion(supported_if(Below(1)), refuted_if(Above(1))),
    figures=("compressed-scale",),
    published=Verdict.REFUTED,
)
def gain_computes(result: Result) -> Quantity:
    return result.scales["0.02"].clean


@experiment.claim(
    "compressed-eigenspace",
    title="Neurons read the mixing matrix's top eigenspace",
    statements=("F2",),
    source=AGAINST,
    test=(
        "Share of the space that neurons read which lies in the space of the largest eigenvalues, as many as there "
        "are neurons, at a standard deviation of 0.02."
    ),
    criterion=above(0.9, refuted_below=0.7),
    figures=("compressed-space",),
    published=Verdict.SUPPORTED,
)
def reads_eigenspace(result: Result) -> Quantity:
    return result.scales["0.02"].overlap


@experiment.claim(
    "compressed-fourth-computes",
    title="Trained with the fourth power of the error, a network computes more functions than it has neurons",
    statements=("F2",),
    source=FOR,
    test=(
        "Ten features per neuron, no mixing matrix. Squared error against ReLU(x) in units of the naive half's: of "
        "outputs whose feature is present, and in total. An error that falls where features are present and is paid "
        "for elsewhere is not computation."
    ),
    criterion=Criterion(
        supported_if(where(active=Below(1), total=Below(1))),
        refuted_if(where(total=Above(1))),
        otherwise=Verdict.MIXED,
        names={"active": "the error of present features", "total": "the total error"},
    ),
    figures=("compressed-losses",),
    published=Verdict.REFUTED,
)
def fourth_computes(result: Result) -> Evidence:
    found = result.losses.fourth
    return Evidence(total=found.total, active=found.active, crosstalk=found.crosstalk)


@experiment.claim(
    "compressed-fourth-nonlinear",
    title="Trained with the fourth power, a network has more nonlinearity than one ReLU function per neuron",
    statements=("F2",),
    source=FOR,
    test=(
        "The same networks. ReLU functions' worth of nonlinearity per neuron (one for the naive half, none for a "
        "linear network), and the fourth power of the error over that of a linear network trained alike."
    ),
    criterion=Criterion(
        supported_if(where(functions=Above(1), ratio=Below(1))),
        refuted_if(where(functions=Below(1)) | where(ratio=Above(1))),
        otherwise=Verdict.MIXED,
        names={"functions": "functions per neuron", "ratio": "the ratio to the linear network"},
    ),
    figures=("compressed-losses",),
    published=Verdict.SUPPORTED,
)
def fourth_nonlinear(result: Result) -> Evidence:
    return Evidence(functions=result.losses.fourth.functions, ratio=result.numbers.relu_over_linear)


@experiment.claim(
    "compressed-linear-share",
    title="A linear network reaches most of the gain on the naive half in the fourth power",
    statements=("F2",),
    test=(
        "Fourth power of the error: how much of the distance between the naive half and the trained ReLU network a "
        "linear network of the same size covers when it is trained with the same loss."
    ),
    criterion=Criterion(supported_if(Above(0.5)), refuted_if(Below(0.5))),
    figures=("compressed-losses",),
    published=Verdict.SUPPORTED,
)
def linear_share(result: Result) -> Quantity:
    return result.numbers.linear_share
