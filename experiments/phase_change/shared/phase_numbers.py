"""The numbers of a phase sweep that pages and claims quote."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import keyed
from experiments.core.metrics import REPRESENTED_NORM, cosines, norms
from experiments.core.phases import ABSENT_NORM, ORTHOGONAL, Setting, boundary, boundary_distance
from experiments.core.quantities import Quantity, exact, from_resamples, mean
from experiments.phase_change.shared.best_models import resampled_best, root_mean_square, share_of_best
from experiments.phase_change.shared.phase_sweep import (
    ExactBoundary,
    Models,
    SweepConfig,
    exact_boundary,
    grid_boundary,
    map_cells,
    smallest_norm,
)

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

STEP_FACTOR = 1.3
"""A change within this factor of density counts as sudden."""

RESAMPLES = 400
"""Maps of best models, drawn for the error of the boundary: its interval is then known to a thirtieth."""


@dataclass(frozen=True)
class Failures:
    """Shares of the models more than 1 % above the exact optimum, by the first cause that fits."""

    dead: Quantity  # an output that no input makes positive
    same_way: Quantity  # two features that point the same way
    other_ideal: Quantity  # another ideal solution than the optimum's


@dataclass(frozen=True)
class Count:
    """How much of a phase there is."""

    best: Quantity  # share of cells whose best model is in it
    models: Quantity  # share of all models
    optimum: Quantity  # share of cells whose exact optimum is in it
    optimum_without_bias: Quantity


def _ideal_names(setting: Setting) -> list[str]:
    return [_slug(phase) for phase in setting.ideal]


def _phase_names(setting: Setting) -> list[str]:
    return [_slug(phase) for phase in setting.phases]


@dataclass(frozen=True)
class Numbers:
    """What the pages quote. Shares of cells are of this grid, and their intervals are over the models of its cells."""

    agreement: Quantity  # best model in the phase of the best closed form, away from boundaries
    agreement_single: Quantity
    agreement_everywhere: Quantity
    agreement_optimum: Quantity
    trained_is_optimum: Quantity
    boundary_error: Quantity  # trained boundary against closed form
    boundary_error_optimum: Quantity  # trained boundary against exact one
    boundary_theory_error: Quantity  # exact boundary against closed form
    boundary_shift: Quantity
    boundary_largest_shift: Quantity
    line_jump: Quantity
    line_boundary: Quantity
    line_boundary_theory: Quantity
    line_exact_jump: Quantity
    coexistence: Quantity
    sudden_columns: Quantity
    smallest_jump: Quantity
    largest_jump: Quantity
    loss_within: Quantity
    largest_loss_ratio: Quantity
    smallest_loss_ratio: Quantity
    excess_median: Quantity
    excess_largest: Quantity
    noise_median: Quantity
    noise_high: Quantity
    found: Quantity
    search_missed: Quantity
    failed: Quantity
    failures: Failures
    best_ideal: Quantity
    models: Quantity
    per_cell: Quantity
    cells: Quantity
    far_cells: Quantity
    line_models: Quantity
    line_ratio: Quantity
    kept: dict[str, Quantity] = keyed(lambda config: _ideal_names(config.setting))  # predicted cells that are in it
    phases: dict[str, Count] = keyed(lambda config: _phase_names(config.setting))


class Optima(NamedTuple):
    """Losses of every cell, each (cell,)."""

    known: Array  # the lowest found by any means
    searched: Array  # the lowest that the search found
    best: Array  # of the best trained model
    ideal: Array  # of the best ideal solution


def phase_numbers(
    config: SweepConfig, fields: dict[str, Any], models: Models, phases: Labels, optima: Optima, edge: ExactBoundary
) -> Numbers:
    """Return the numbers of a sweep from its maps `fields`, all `models` and their `phases` (cell, model)."""
    setting, cells = config.setting, map_cells(config)
    far = boundary_distance(setting, cells.ratio, cells.density) > config.distance
    return Numbers(
        **_agreement(fields, models, phases, far),
        **_boundary_errors(config, fields, models),
        **_jumps(setting, config, fields, edge),
        **_losses(models, optima),
        **_failed(setting, models, phases, fields["optimum"].ravel(), optima.known),
        best_ideal=share_of_best(np.isin(phases, [setting.index(phase) for phase in setting.ideal]), models.loss),
        models=exact(models.loss.size + fields["line_loss"].size, method="models trained"),
        per_cell=exact(config.models, method="models per cell"),
        cells=exact(len(cells.ratio), method="cells of the map"),
        far_cells=exact(int(far.sum()), method=f"cells more than {config.distance:g} decades from a boundary"),
        line_models=exact(config.line_models, method="models per density of the line"),
        line_ratio=exact(config.line_ratio, method="importance of the extra feature on the line"),
        kept=_kept(setting, fields, models, phases),
        phases=_counts(setting, fields, models, phases),
    )


def largest_change(density: Array, values: Array, factor: float = STEP_FACTOR) -> float:
    """Return the largest difference between two `values` whose densities are within `factor` of each other."""
    near = np.abs(np.log(density[:, None] / density)) <= np.log(factor) * (1 + 1e-9)
    return float(np.where(near, np.abs(values[:, None] - values), 0.0).max())


def _agreement(fields: dict[str, Any], models: Models, phases: Labels, far: NDArray[np.bool_]) -> dict[str, Any]:
    theory, optimum = (fields[name].reshape(-1, 1) for name in ("predicted", "optimum"))
    return {
        "agreement": share_of_best((phases == theory)[far], models.loss[far]),
        "agreement_single": mean((phases == theory)[far].mean(axis=0), "of cells", within=(0, 1)),
        "agreement_everywhere": share_of_best(phases == theory, models.loss),
        "agreement_optimum": exact((optimum == theory)[far].mean(), "of cells", "exact optimum of every cell"),
        "trained_is_optimum": share_of_best(phases == optimum, models.loss),
    }


def _kept(setting: Setting, fields: dict[str, Any], models: Models, phases: Labels) -> dict[str, Quantity]:
    """Return, for each ideal phase, the share of the cells predicted to be in it whose best model is."""
    kept = {}
    for phase in setting.ideal:
        there = fields["predicted"].ravel() == setting.index(phase)
        kept[_slug(phase)] = share_of_best((phases == setting.index(phase))[there], models.loss[there])
    return kept


def _slug(phase: str) -> str:
    return phase.replace(" ", "_")


def _boundary_errors(config: SweepConfig, fields: dict[str, Any], models: Models) -> dict[str, Any]:
    ideal, at = boundary(config.setting, fields["ratio"]), fields["exact_boundary"]
    shared = resampled_best(smallest_norm(models.W) > REPRESENTED_NORM, models.loss, RESAMPLES, config.seed)
    maps = shared.reshape(RESAMPLES, *fields["best"].shape)
    drawn = np.log10([grid_boundary(fields["density"], each) for each in maps])
    trained = np.log10(fields["trained_boundary"])
    shift = np.log10(at / ideal)
    finite = np.isfinite(shift)
    low_ratio = finite & (fields["ratio"] < 0.5)
    return {
        "boundary_error": root_mean_square(trained - np.log10(ideal), drawn - np.log10(ideal)),
        "boundary_error_optimum": root_mean_square(trained - np.log10(at), drawn - np.log10(at)),
        "boundary_theory_error": exact(np.sqrt((shift[finite] ** 2).mean()), "decades", "exact optimum of every ratio"),
        "boundary_shift": exact(10 ** shift[low_ratio].mean(), "", "geometric mean of ratios below one half"),
        "boundary_largest_shift": exact(10 ** shift[finite].max(), "", "largest over ratios"),
    }


def _jumps(setting: Setting, config: SweepConfig, fields: dict[str, Any], edge: ExactBoundary) -> dict[str, Any]:
    density, norm = fields["line_density"], fields["line_norm"]
    generator = np.random.default_rng(config.seed)
    picks = generator.integers(0, norm.shape[1], (1000, *norm.shape))
    medians = np.median(np.take_along_axis(norm[None], picks, axis=2), axis=2)
    drawn = [largest_change(density, row) for row in medians]
    middle = largest_change(density, np.median(norm, axis=1))
    on_line = exact_boundary(setting, np.array([config.line_ratio]), config.starts, config.halvings, config.seed)
    both = (fields["superposed_norm"] > REPRESENTED_NORM) & (fields["ignored_norm"] < ABSENT_NORM)
    jump = edge.sparse_norm - edge.dense_norm
    finite = np.isfinite(jump)
    return {
        "line_jump": from_resamples(middle, drawn, norm.shape[1], of="models of each density"),
        "line_boundary": exact(float(on_line.density[0]), "", "exact optimum, by bisection"),
        "line_boundary_theory": exact(float(boundary(setting, np.array([config.line_ratio]))[0]), "", "closed form"),
        "line_exact_jump": exact(float((on_line.sparse_norm - on_line.dense_norm)[0]), "", "exact optimum"),
        "coexistence": exact(_decades(density[both]), "decades", "densities of the line at which both are minima"),
        "sudden_columns": Quantity(
            float((edge.dense_norm[finite] < 0.05).mean()), n=int(finite.sum()), method="exact optimum of every ratio"
        ),
        "smallest_jump": exact(float(jump[finite].min()), "", "smallest over ratios, exact optimum"),
        "largest_jump": exact(float(jump[finite].max()), "", "largest over ratios, exact optimum"),
    }


def _decades(density: Array) -> float:
    return float(np.log10(density.max() / density.min())) if density.size else 0.0


def _losses(models: Models, optima: Optima) -> dict[str, Any]:
    known, searched, best, ideal = optima
    noise, found = models.loss / models.floor - 1, models.loss < 1.01 * known[:, None]
    return {
        "loss_within": share_of_best(models.loss <= 1.02 * ideal[:, None], models.loss),
        "largest_loss_ratio": exact((best / ideal).max(), "", "largest over cells of best model over best closed form"),
        "smallest_loss_ratio": exact(
            (known / ideal).min(), "", "smallest over cells of exact optimum over closed form"
        ),
        "excess_median": exact(np.median(best / known - 1), "", "median over cells"),
        "excess_largest": exact((best / known - 1).max(), "", "largest over cells"),
        "noise_median": exact(np.median(noise), "", "median over all models"),
        "noise_high": exact(np.quantile(noise, 0.95), "", "95th percentile over all models"),
        "found": mean(found.mean(axis=0), "of cells", within=(0, 1)),
        "search_missed": exact(int((known < searched * (1 - 1e-6)).sum()), "cells", "training below the search"),
    }


def _failed(setting: Setting, models: Models, phases: Labels, optimum: Labels, known: Array) -> dict[str, Any]:
    """Return the share of models more than 1 % above the optimum, and why."""
    failed = models.loss >= 1.01 * known[:, None]
    causes, left, shares = _causes(setting, models, phases, optimum), failed.copy(), {}
    for name, cause in causes.items():
        hits = (left & cause).sum() / max(failed.sum(), 1)
        shares[name] = exact(hits, "of them", "share of the models more than 1 % above the optimum")
        left &= ~cause
    return {"failed": mean(failed.mean(axis=0), "of models", within=(0, 1)), "failures": Failures(**shares)}


def _causes(setting: Setting, models: Models, phases: Labels, optimum: Labels) -> dict[str, NDArray[np.bool_]]:
    """Return which models (cell, model) show each cause of failure; see `Failures`."""
    gram = np.swapaxes(models.W, -1, -2) @ models.W
    highest = models.b + np.maximum(gram, 0.0).sum(axis=-1)  # the most that each output's argument can be
    there = norms(models.W) > 0.05
    pairs = there[..., None] & there[..., None, :] & ~np.eye(setting.features, dtype=bool)
    ideal = [setting.index(phase) for phase in setting.ideal]
    return {
        "dead": (highest <= 0).any(-1),
        "same_way": ((cosines(models.W) > ORTHOGONAL) & pairs).any((-1, -2)),
        "other_ideal": np.isin(phases, ideal) & (phases != optimum[:, None]),
    }


def _counts(setting: Setting, fields: dict[str, Any], models: Models, phases: Labels) -> dict[str, Count]:
    """Return the share of cells in each phase, by best model and by both exact optima, and the share of all models."""
    return {
        _slug(phase): Count(
            best=share_of_best(phases == number, models.loss),
            models=mean((phases == number).mean(axis=0), "of models", within=(0, 1)),
            optimum=_grid_share(fields["optimum"] == number),
            optimum_without_bias=_grid_share(fields["optimum_without_bias"] == number),
        )
        for number, phase in enumerate(setting.phases)
    }


def _grid_share(hits: NDArray[np.bool_]) -> Quantity:
    return exact(hits.mean(), "of cells", "exact optimum of every cell")
