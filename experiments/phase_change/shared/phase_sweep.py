"""Phase diagrams measured and computed: many models per cell, and the exact optimum of every cell.

A cell is a ratio `r` (importance of the extra, last feature) and a density `p`. All models of all cells, and those of
one line at fixed ratio, train as one batch; the exact expected loss picks the best. Beside them stand
the closed forms of `phases` and the global minimum of the exact loss with free norms and biases, found
by descent from many starts, without any training.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import Family, Optimum, everything, minimise, polish
from experiments.core.metrics import REPRESENTED_NORM, norms
from experiments.core.phases import THREE_FEATURES, TWO_FEATURES, Setting, boundary, ideal_model, importances
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SweepConfig:
    """A log-log map of ratio and density, and one line through it; defaults are the published run."""

    seed: int = 0
    features: int = 2  # in one dimension fewer
    ratios: int = 32  # of importance, evenly spaced in the logarithm from lowest_ratio to its inverse
    lowest_ratio: float = 0.1
    densities: int = 32  # evenly spaced in the logarithm from 1 down to lowest_density
    lowest_density: float = 0.01
    models: int = 10  # per cell, each from its own start
    line_ratio: float = 0.3
    line_densities: int = 48
    line_lowest_density: float = 0.05
    line_models: int = 32
    steps: int = 2500
    batch: int = 256
    learning_rate: float = 0.02  # falls to 0 along a cosine, so that the last steps average the noise away
    starts: int = 8  # random ones of the exact search, per cell
    halvings: int = 14  # of the bracket around an exact boundary
    distance: float = 0.15  # decades; cells nearer to a closed-form boundary do not count for agreement

    @property
    def setting(self) -> Setting:
        return {2: TWO_FEATURES, 3: THREE_FEATURES}[self.features]

    @property
    def ratio_axis(self) -> Array:
        return np.geomspace(self.lowest_ratio, 1 / self.lowest_ratio, self.ratios)

    @property
    def density_axis(self) -> Array:
        return np.geomspace(1.0, self.lowest_density, self.densities)

    @property
    def line_axis(self) -> Array:
        return np.geomspace(1.0, self.line_lowest_density, self.line_densities)


class Cells(NamedTuple):
    """`ratio` and `density` of every cell, both (cell,); cells run over densities fastest."""

    ratio: Array
    density: Array


class Models(NamedTuple):
    """Trained models of some cells.

    `W` (cell, model, hidden, feature), `b` (cell, model, feature), exact `loss` (cell, model), and `floor`, the loss of
    the local minimum that each one rolls into when descent continues without noise.
    """

    W: Array
    b: Array
    loss: Array
    floor: Array

    def best(self) -> "Models":
        """Return the model with the lowest exact loss in each cell, without the model axis."""
        chosen = self.loss.argmin(axis=1)
        rows = np.arange(len(chosen))
        return Models(*(field[rows, chosen] for field in self))


def map_cells(config: SweepConfig) -> Cells:
    """Return the cells of the map, (ratios * densities,)."""
    r, p = np.meshgrid(config.ratio_axis, config.density_axis, indexing="ij")
    return Cells(r.ravel(), p.ravel())


def line_cells(config: SweepConfig) -> Cells:
    """Return the cells of the line, (line_densities,)."""
    return Cells(np.full(config.line_densities, config.line_ratio), config.line_axis)


def train_cells(setting: Setting, config: SweepConfig, device: str) -> tuple[Models, Models]:
    """Train all models of the map and of the line in one batch; return both."""
    grid, line = map_cells(config), line_cells(config)
    ratio = np.concatenate([np.repeat(grid.ratio, config.models), np.repeat(line.ratio, config.line_models)])
    density = np.concatenate([np.repeat(grid.density, config.models), np.repeat(line.density, config.line_models)])
    importance = importances(setting, ratio)
    recipe = Recipe(
        steps=config.steps,
        batch=config.batch,
        learning_rate=config.learning_rate,
        schedule="cosine",
        epsilon=1e-12,  # gradients of a rare feature of little importance are no larger than the usual 1e-8
        seed=config.seed,
    )
    trained = train(
        Data(density[:, None], importance), Model(setting.features, setting.hidden), recipe, len(ratio), device
    )
    W, b = (np.asarray(a, dtype=np.float64) for a in (trained.weights.W, trained.weights.b))
    loss = expected_loss(W, b, density[:, None], importance).value
    everyone = (W, b, loss, polish(W, b, density[:, None], importance).loss)
    split = len(grid.ratio) * config.models
    return (
        Models(*(_by_cell(field[:split], config.models) for field in everyone)),
        Models(*(_by_cell(field[split:], config.line_models) for field in everyone)),
    )


def _by_cell(values: Array, models: int) -> Array:
    return values.reshape(-1, models, *values.shape[1:])


def without_bias(setting: Setting) -> Family:
    """Return the family of all models with b = 0; a start is `W` row by row."""
    size = setting.hidden * setting.features
    basis = np.eye(size, size + setting.features)
    return Family("without bias", setting.hidden, setting.features, basis, np.zeros(size))


def global_minimum(setting: Setting, cells: Cells, starts: int, seed: int, bias: bool = True) -> Optimum:
    """Return the lowest minimum of the exact loss found in each cell, (cell,).

    Descent starts from `starts` random models and from every ideal solution, slightly disturbed because an ideal
    solution may sit on a saddle; the same starts serve all cells up to the bias of an ignored feature.
    """
    family = everything(setting.hidden, setting.features) if bias else without_bias(setting)
    theta = np.concatenate([_random_starts(setting, len(cells.ratio), starts, seed), _ideal_starts(setting, cells)], 1)
    theta = theta[..., : len(family.start)]
    per_cell = theta.shape[1]
    found = minimise(
        family,
        np.broadcast_to(np.repeat(cells.density, per_cell)[:, None], (theta.shape[0] * per_cell, setting.features)),
        np.repeat(importances(setting, cells.ratio), per_cell, axis=0),
        starts=theta.reshape(-1, theta.shape[-1]),
    )
    chosen = found.loss.reshape(-1, per_cell).argmin(axis=1) + per_cell * np.arange(len(cells.ratio))
    return Optimum(*(np.asarray(field)[chosen] for field in found))


def _random_starts(setting: Setting, cells: int, starts: int, seed: int) -> Array:
    generator = np.random.default_rng(seed)
    W = generator.normal(0.0, 0.7, (starts, setting.hidden * setting.features))
    b = generator.uniform(-0.2, 0.5, (starts, setting.features))
    return np.broadcast_to(np.concatenate([W, b], axis=1), (cells, starts, W.shape[1] + b.shape[1]))


def _ideal_starts(setting: Setting, cells: Cells) -> Array:
    """Return every ideal solution as a start, (cell, phase, parameter)."""
    disturbance = 0.02 * np.random.default_rng(0).standard_normal((setting.hidden, setting.features))
    parts = []
    for phase in setting.ideal:
        W, b = ideal_model(setting, phase, cells.density)
        parts.append(np.concatenate([(W + disturbance).reshape(len(W), -1), b], axis=1))
    return np.stack(parts, axis=1)


def branch(setting: Setting, phase: str, cells: Cells) -> Optimum:
    """Return the local minimum that the ideal solution of `phase` belongs to, cell by cell, (cell,)."""
    start = _ideal_starts(setting, cells)[:, setting.ideal.index(phase)]
    everyone = everything(setting.hidden, setting.features)
    density = np.broadcast_to(cells.density[:, None], (len(start), setting.features))
    return minimise(everyone, density, importances(setting, cells.ratio), starts=start)


def smallest_norm(W: ArrayLike) -> Array:
    """Return the length of the shortest column (...): above `REPRESENTED_NORM` all features are represented."""
    return np.asarray(norms(W).min(axis=-1))


class ExactBoundary(NamedTuple):
    """Where the exact optimum stops representing all features, one entry per ratio.

    `density` of the boundary; `sparse_norm` and `dense_norm`, the shortest column of the optimum just below and just
    above it, so that their difference is the jump. NaN where the whole column of the map is on one side.
    """

    density: Array
    sparse_norm: Array
    dense_norm: Array


def exact_boundary(setting: Setting, ratio: Array, starts: int, halvings: int, seed: int) -> ExactBoundary:
    """Halve a bracket in log density around the boundary; norms and biases are free."""
    low, high = np.log(boundary(setting, ratio) / 2), np.zeros(ratio.shape)
    ends = [smallest_norm(global_minimum(setting, Cells(ratio, np.exp(end)), starts, seed).W) for end in (low, high)]
    inside = (ends[0] > REPRESENTED_NORM) & (ends[1] <= REPRESENTED_NORM)
    for _ in range(halvings):
        middle = (low + high) / 2
        norm = smallest_norm(global_minimum(setting, Cells(ratio, np.exp(middle)), starts, seed).W)
        shared = norm > REPRESENTED_NORM
        low, high = np.where(shared, middle, low), np.where(shared, high, middle)
        ends = [np.where(shared, norm, ends[0]), np.where(shared, ends[1], norm)]
    return ExactBoundary(*(np.where(inside, v, np.nan) for v in (np.exp((low + high) / 2), *ends)))


def grid_boundary(density: Array, shared: NDArray[np.bool_]) -> Array:
    """Return, per row, the density that best splits `shared` (ratio, density) into shared below and not shared above.

    The split has the fewest cells on the wrong side, the middle one of several; between two cells it lies at their
    geometric mean. NaN where it falls outside the map. `density` (density,) must decrease.
    """
    alone = np.pad(np.cumsum(~shared, axis=1), ((0, 0), (1, 0)))
    # With the split before cell k, cells 0..k-1 (denser) should not be shared and cells k.. should be.
    wrong = np.arange(len(density) + 1) - alone + (alone[:, -1:] - alone)
    least = wrong == wrong.min(axis=1, keepdims=True)
    middle = np.array([int(np.median(np.flatnonzero(row))) for row in least])
    inner = np.exp((np.log(density[1:]) + np.log(density[:-1])) / 2)
    edges = np.concatenate([[np.nan], inner, [np.nan]])
    return np.asarray(edges[middle])
