"""Which bias is best when every feature is always present (p = 1)? Statement A7.

The derivation stands in `dense` and on the page. Here trained biases are compared with it: of a linear
output, for which the formula is exact; of a ReLU output, which clips; and of ReLU models carried on to an exact
minimum, where digits beyond the noise of sampled batches can be compared.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, Verdict
from experiments.core.criteria import Above, Below, Criterion, above, refuted_if, supported_if
from experiments.core.losses.optimum import Optimum, polish
from experiments.core.metrics import norms
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train
from experiments.first_runs.shared.dense import clipping, cube_points, linear_bias

Array = NDArray[np.float64]

FOUR_DIGITS = 5e-5
"""Agreement to four decimal places."""

UNLEARNED_NORM = 0.1
"""A feature with a shorter column is ignored: its output is its bias."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models of 5 features in 2 dimensions, for each output and importance
    decay: float = 0.7  # importance of feature i is decay^i where it is unequal
    steps: int = 3000
    batch: int = 128
    exact_seeds: int = 64  # the first of these models are carried on to an exact minimum
    check_points_log2: int = 17  # points of the cube over which the formula's clipping term is averaged
    densities: tuple[float, ...] = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1)  # for ignored features: 20 features, 5 dimensions
    density_seeds: int = 16


@dataclass(frozen=True)
class Numbers:
    """`noise` is a mean distance from the formula, `offset` a mean signed one."""

    linear_noise: Quantity
    linear_offset: Quantity
    relu_noise: Quantity
    relu_offset: Quantity
    relu_below: Quantity  # how far trained biases lie below the formula without clipping
    shortfall: Quantity
    largest_shortfall: Quantity
    dedicated_exact: Quantity
    exact_largest_error: Quantity
    ignored_error: Quantity
    ignored_count: Quantity


@dataclass(frozen=True)
class Result:
    """Every feature of every model with that output and equal importance, models after each other."""

    linear_b: Array  # (model * feature,), the trained bias
    linear_formula: Array  # (model * feature,), the derived one
    relu_b: Array  # (model * feature,)
    relu_formula: Array  # (model * feature,), without clipping
    relu_shortfall: Array  # (model * feature,), what clipping takes off it
    exact_below: Array  # (exact model * feature,), formula less bias at exact minima
    exact_shortfall: Array  # (exact model * feature,)
    exact_error: Array  # (exact model,), the largest difference of these two, unequal importance included
    ignored_p: Array  # (ignored feature,)
    ignored_b: Array  # (ignored feature,)
    within_four_digits: Quantity
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="The best bias for dense features",
    config=Config(),
    quick=Config(
        seeds=24, steps=400, batch=64, exact_seeds=6, check_points_log2=13, densities=(1.0, 0.3), density_seeds=2
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    unequal = config.decay ** np.arange(5)
    linear = _train(config, device, 1.0, "linear")
    relu, ranked = _train(config, device, 1.0), _train(config, device, unequal)
    x = cube_points(5, config.check_points_log2, config.seed)
    shortfall = clipping(relu.W, relu.b, x[: 1 << 15]).shortfall
    level, tilted = _exact_minimum(config, relu, 1.0), _exact_minimum(config, ranked, unequal)
    (below, cut), (tilted_below, tilted_cut) = _below(level, x), _below(tilted, x)
    error = np.abs(np.concatenate([below - cut, tilted_below - tilted_cut])).max(-1)
    ignored_p, ignored_b, seed = _ignored(config, device)
    linear_formula, relu_formula = linear_bias(linear.W), linear_bias(relu.W)
    dedicated = np.array([0.0, 0.0, 0.5, 0.5, 0.5])
    return Result(
        linear_b=_flat(linear.b),
        linear_formula=_flat(linear_formula),
        relu_b=_flat(relu.b),
        relu_formula=_flat(relu_formula),
        relu_shortfall=_flat(shortfall),
        exact_below=_flat(below),
        exact_shortfall=_flat(cut),
        exact_error=error,
        ignored_p=ignored_p,
        ignored_b=ignored_b,
        within_four_digits=share(error < FOUR_DIGITS),
        numbers=Numbers(
            linear_noise=mean(np.abs(linear.b - linear_formula).mean(-1)),
            linear_offset=mean((linear.b - linear_formula).mean(-1)),
            relu_noise=mean(np.abs(relu.b - relu_formula + shortfall).mean(-1)),
            relu_offset=mean((relu.b - relu_formula + shortfall).mean(-1)),
            relu_below=mean((relu_formula - relu.b).mean(-1)),
            shortfall=mean(shortfall.mean(-1)),
            largest_shortfall=_largest(shortfall),
            dedicated_exact=share(np.abs(tilted.b - dedicated).max(-1) < FOUR_DIGITS),
            exact_largest_error=_largest(error),
            ignored_error=_mean_per_seed(np.abs(ignored_b / (ignored_p / 2) - 1), seed),
            ignored_count=exact(ignored_b.size, method="a count over all models"),
        ),
    )


def _train(config: Config, device: str, importance: ArrayLike, output: Literal["relu", "linear"] = "relu") -> Weights:
    """Train models of 5 features in 2 dimensions, from biases of E[x] = 1/2."""
    model = Model(5, 2, output)
    recipe = Recipe(config.steps, config.batch, 1e-2, schedule="cosine", start_bias=0.5, seed=config.seed)
    return train(Data(1.0, importance), model, recipe, config.seeds, device).weights


def _exact_minimum(config: Config, trained: Weights, importance: ArrayLike) -> Optimum:
    """Return the minima of the exact loss, integrated in closed form, that the first models were rolling into."""
    first = slice(config.exact_seeds)
    return polish(trained.W[first], trained.b[first], np.ones((1, 5)), np.broadcast_to(importance, (1, 5)))


def _below(found: Optimum, x: Array) -> tuple[Array, Array]:
    """Return how far each bias is below the formula without clipping, and the clipping term averaged over `x`."""
    return linear_bias(found.W) - found.b, clipping(found.W, found.b, x).shortfall


def _ignored(config: Config, device: str) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return density, trained bias and seed of every ignored feature of 20-in-5 models over a range of densities."""
    model, p = Model(20, 5), np.repeat(config.densities, config.density_seeds)
    bias = p[:, None] / 2
    recipe = Recipe(config.steps, config.batch, 1e-2, schedule="cosine", start_bias=bias, seed=config.seed)
    weights = train(Data(p[:, None], config.decay ** np.arange(20)), model, recipe, p.size, device).weights
    unlearned = norms(weights.W) < UNLEARNED_NORM
    seed = np.tile(np.arange(config.density_seeds), len(config.densities))[np.nonzero(unlearned)[0]]
    return np.broadcast_to(p[:, None], unlearned.shape)[unlearned], weights.b[unlearned].astype(np.float64), seed


def _mean_per_seed(values: Array, seed: NDArray[np.int64]) -> Quantity:
    """Return the mean over seeds of each seed's mean value; features of one model are not independent."""
    return mean(np.bincount(seed, values) / np.bincount(seed))


def _flat(values: NDArray[Any]) -> Array:
    return np.asarray(values, dtype=np.float64).ravel()


def _largest(values: NDArray[Any]) -> Quantity:
    return Quantity(float(values.max()), n=len(values), method="largest over all features of all models")


@experiment.figure(
    "dense-bias",
    title="The best bias for dense features",
    caption="Trained biases follow the derived formula; at exact minima no bias is further than "
    "{numbers.exact_largest_error:.6f} from it. Five equally important features in two dimensions at p = 1; each point "
    "is a feature of one of the first models. (a) With a linear output the bias is (1 − Σⱼ Mᵢⱼ)/2 for whatever M = WᵀW "
    "training found. (b) With a ReLU output it is less by {numbers.relu_below} on average. (c) What is "
    "missing is what the ReLU clips, δᵢ = E[xᵢ − zᵢ; zᵢ < 0]; trained models scatter about it with the noise of their "
    "last batches.",
    alt="Three scatter plots with diagonals. Biases of linear-output models lie on the diagonal, those of ReLU models "
    "on it or slightly below. In the third panel the distance below follows the clipping term. Exact minima lie on "
    "the diagonal.",
)
def draw(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", panel="square")
    _against(left, result.linear_formula, result.linear_b, 0)
    _against(middle, result.relu_formula, result.relu_b, 1)
    _against(right, result.relu_shortfall, result.relu_formula - result.relu_b, 1)
    right.scatter(result.exact_shortfall, result.exact_below, s=18, color=plotting.series(2), label="exact minima")
    left.set(title="linear output", xlabel="(1 − Σⱼ Mᵢⱼ)/2", ylabel="trained bias bᵢ")
    middle.set(title="ReLU output", xlabel="(1 − Σⱼ Mᵢⱼ)/2", ylabel="trained bias bᵢ")
    right.set(title="ReLU, what is missing", xlabel="clipped, δᵢ", ylabel="(1 − Σⱼ Mᵢⱼ)/2 − bᵢ")
    right.locator_params(nbins=5)
    right.legend(loc="lower right")
    plotting.panel_letters((left, middle, right))
    return figure


def _against(ax: Axes, derived: Array, trained: Array, index: int, shown: int = 320) -> None:
    """Draw trained against derived values, with the line on which they agree; few enough points for a small file."""
    ax.scatter(derived[:shown], trained[:shown], s=6, color=plotting.series(index), alpha=0.6, linewidths=0)
    ends = [derived[:shown].min(), derived[:shown].max()]
    plotting.theory_line(ax, ends, ends)


@experiment.figure(
    "dense-bias-ignored",
    title="The bias of an ignored feature",
    caption=(
        "An ignored feature has a bias of p/2. Its output is its bias, and the best constant is the mean, E[xᵢ] ="
        " p/2 (dashed). The {numbers.ignored_count:.0f} ignored features of models with 20 features of importance"
        " 0.7ⁱ in 5 dimensions keep to it within {numbers.ignored_error:% value} on average."
    ),
    alt="Bias of ignored features against the feature probability: all points sit on the line p over 2.",
)
def draw_ignored(result: Result) -> Figure:
    figure, axes = plotting.new_figure(height=2.6)
    axes.scatter(result.ignored_p, result.ignored_b, s=12, color=plotting.colour("accent"), alpha=0.5, linewidths=0)
    ends = np.array([0.0, 1.0])
    plotting.theory_line(axes, ends, ends / 2)
    axes.set(xlabel="feature probability $p$", ylabel="bias of ignored features")
    return figure


@experiment.claim(
    "dense-bias-formula",
    title="The best dense bias is (1 − Σⱼ Mᵢⱼ)/2, less what the ReLU clips",
    statements=("A7",),
    test="ReLU models of 5 features in 2 dimensions, equal and unequal importance, are trained and carried on to a "
    "minimum of the exact loss; each bias is compared with (1 − Σⱼ Mᵢⱼ)/2 − δᵢ, with δᵢ averaged over points of the "
    "cube. Statistic: the share of models whose worst bias agrees to four decimal places (5e-5).",
    criterion=above(0.9, refuted_below=0.5),
    figures=("dense-bias",),
    published=Verdict.SUPPORTED,
)
def agreeing_models(result: Result) -> Quantity:
    return result.within_four_digits


@experiment.claim(
    "dense-bias-ignored",
    title="A feature the model ignores has a bias of p/2",
    statements=("A7",),
    source='Toy Models of Superposition, "Demonstrating superposition"',
    test="Biases of all features with a column shorter than 0.1, over densities from 0.1 to 1, 20 features of "
    "importance 0.7ⁱ in 5 dimensions. Statistic: mean relative distance from p/2, over seeds.",
    criterion=Criterion(
        supported_if(Below(0.02, label="2 %")), refuted_if(Above(0.05, label="5 %")), otherwise=Verdict.MIXED
    ),
    figures=("dense-bias-ignored",),
    published=Verdict.SUPPORTED,
)
def ignored_error(result: Result) -> Quantity:
    return result.numbers.ignored_error
