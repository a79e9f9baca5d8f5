"""What a phase sweep finds: the maps, the line, and the numbers that the page and the claims quote."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import Verdict, undefined
from experiments.core.metrics import REPRESENTED_NORM, cosines, norms
from experiments.core.phases import (
    ABSENT_NORM,
    IGNORED,
    ORTHOGONAL,
    SUPERPOSED,
    Setting,
    boundary,
    boundary_distance,
    classify,
    ideal_losses,
    predicted,
)
from experiments.core.quantities import CONFIDENCE, Quantity, exact, mean, share
from experiments.phase_change.shared.phase_sweep import (
    ExactBoundary,
    Models,
    SweepConfig,
    branch,
    exact_boundary,
    global_minimum,
    grid_boundary,
    line_cells,
    map_cells,
    smallest_norm,
    train_cells,
)

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

STEP_FACTOR = 1.3
"""A change within this factor of density counts as sudden."""

_ONE_SIDED = "the shortest column of the optimum is on one side of one half over the whole column of the map"


@dataclass(frozen=True)
class SweepResult:
    """Maps are (ratio, density); phases are numbers into the setting's `phases`, whose shares are the last axis.

    Maps: `predicted` by the closed forms; `optimum` and `optimum_without_bias` of the exact loss; `best`, the best of
    all models of a cell; `shares` (ratio, density, phase) of all models. `extra_norm` is the length of the extra
    feature's column in the best model, `extra_norm_paper` its mean over models without the one of highest loss.
    `gain` is the exact optimum's loss over the best closed form, `excess` the best model's over the exact optimum, - 1.

    Boundaries in density, one per ratio: `trained_boundary`, and `exact_boundary` with the shortest column of the
    optimum just below (`sparse_norm`) and just above it (`dense_norm`).

    Line at fixed ratio: `line_norm` and `line_loss` (density, model); the local minima that continue the two ideal
    solutions, `superposed_norm` and `superposed_loss`, and `ignored_norm`, which leaves 0 where ignoring the feature is
    no minimum any more; the closed forms `line_pair` and `line_ignored` (exact also where it is a saddle).
    """

    ratio: Array
    density: Array
    predicted: Labels
    optimum: Labels
    optimum_without_bias: Labels
    best: Labels
    shares: Array
    extra_norm: Array
    extra_norm_paper: Array
    gain: Array
    excess: Array
    line_density: Array
    line_norm: Array
    line_loss: Array
    superposed_norm: Array
    superposed_loss: Array
    ignored_norm: Array
    line_pair: Array
    line_ignored: Array
    numbers: dict[str, Quantity]
    trained_boundary: Array = undefined("the best models of this ratio do not change within the map")
    exact_boundary: Array = undefined(_ONE_SIDED)
    sparse_norm: Array = undefined(_ONE_SIDED)
    dense_norm: Array = undefined(_ONE_SIDED)


def sweep(setting: Setting, config: SweepConfig, device: str) -> dict[str, Any]:
    """Train, search and compare; return the fields of a `SweepResult`."""
    cells, shape = map_cells(config), (config.ratios, config.densities)
    models, line = train_cells(setting, config, device)
    best = models.best()
    search = global_minimum(setting, cells, config.starts, config.seed)
    plain = global_minimum(setting, cells, config.starts, config.seed, bias=False)
    edge = exact_boundary(setting, config.ratio_axis, config.starts, config.halvings, config.seed)
    ideal = ideal_losses(setting, cells.ratio, cells.density).min(axis=0)
    phases = classify(setting, models.W)
    optimum, known = classify(setting, search.W), np.minimum(search.loss, best.floor)
    maps: dict[str, Any] = {
        "predicted": predicted(setting, cells.ratio, cells.density),
        "optimum": optimum,
        "optimum_without_bias": classify(setting, plain.W),
        "best": classify(setting, best.W),
        "extra_norm": norms(best.W)[:, -1],
        "extra_norm_paper": _without_worst(norms(models.W)[..., -1], models.loss),
        "gain": known / ideal,
        "excess": best.loss / known - 1,
    }
    fields: dict[str, Any] = {name: np.asarray(value).reshape(shape) for name, value in maps.items()}
    shared = (smallest_norm(best.W) > REPRESENTED_NORM).reshape(shape)
    fields |= {
        "ratio": config.ratio_axis,
        "density": config.density_axis,
        "shares": phase_shares(setting, phases).reshape(*shape, len(setting.phases)),
        "trained_boundary": grid_boundary(config.density_axis, shared),
        "exact_boundary": edge.density,
        "sparse_norm": edge.sparse_norm,
        "dense_norm": edge.dense_norm,
        "line_density": config.line_axis,
        "line_norm": norms(line.W)[..., -1],
        "line_loss": line.loss,
        **_branches(setting, config),
    }
    far = boundary_distance(setting, cells.ratio, cells.density) > config.distance
    numbers = {
        **_agreement(setting, fields, phases, far),
        **_kept(setting, fields),
        **_boundary_errors(setting, fields, config.seed),
        **_jumps(setting, config, fields, edge),
        **_losses(models, known, search.loss, best.loss, ideal),
        **_failures(setting, models, phases, optimum, known),
        **_counts(setting, fields, phases),
        "models": exact(models.loss.size + line.loss.size, method="models trained"),
        "per_cell": exact(config.models, method="models per cell"),
        "cells": exact(len(cells.ratio), method="cells of the map"),
        "far_cells": exact(int(far.sum()), method=f"cells more than {config.distance:g} decades from a boundary"),
        "line_models": exact(config.line_models, method="models per density of the line"),
        "line_ratio": exact(config.line_ratio, method="importance of the extra feature on the line"),
    }
    return {**fields, "numbers": numbers}


def above(quantity: Quantity, limit: float) -> Verdict:
    """Return supported if the whole interval is above `limit`, refuted if below, inconclusive if it straddles it."""
    low = quantity.value if quantity.low is None else quantity.low
    high = quantity.value if quantity.high is None else quantity.high
    if low >= limit:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if high < limit else Verdict.INCONCLUSIVE


def below(quantity: Quantity, limit: float) -> Verdict:
    """Return supported if the whole interval is below `limit`, refuted if above, inconclusive if it straddles it."""
    opposite = {Verdict.SUPPORTED: Verdict.REFUTED, Verdict.REFUTED: Verdict.SUPPORTED}
    verdict = above(quantity, limit)
    return opposite.get(verdict, verdict)


def phase_shares(setting: Setting, phases: Labels) -> Array:
    """Return the share of models in each phase, (cell, phase), from labels (cell, model)."""
    return np.stack([(phases == number).mean(axis=1) for number in range(len(setting.phases))], axis=-1)


def largest_change(density: Array, values: Array, factor: float = STEP_FACTOR) -> float:
    """Return the largest difference between two `values` whose densities are within `factor` of each other."""
    near = np.abs(np.log(density[:, None] / density)) <= np.log(factor) * (1 + 1e-9)
    return float(np.where(near, np.abs(values[:, None] - values), 0.0).max())


def root_mean_square(errors: Array, seed: int, resamples: int = 4000) -> Quantity:
    """Return the root mean square of `errors` in decades, with a bootstrap interval over them; NaN is left out."""
    kept = errors[np.isfinite(errors)]
    drawn = np.random.default_rng(seed).choice(kept, (resamples, kept.size))
    low, high = np.quantile(np.sqrt((drawn**2).mean(axis=1)), _tails())
    value = float(np.sqrt((kept**2).mean()))
    return Quantity(value, float(low), float(high), kept.size, "decades", "bootstrap over ratios, 95 %")


def _tails() -> list[float]:
    return [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]


def _without_worst(values: Array, loss: Array) -> Array:
    """Return the mean over models (cell, model) of all but the one with the highest loss, as in the paper's figure."""
    worst = loss.argmax(axis=1)
    total = values.sum(axis=1) - values[np.arange(len(values)), worst]
    return np.asarray(total / (values.shape[1] - 1))


def _branches(setting: Setting, config: SweepConfig) -> dict[str, Array]:
    """Return the two local minima along the line and the closed forms."""
    cells = line_cells(config)
    pair, alone = (branch(setting, phase, cells) for phase in (SUPERPOSED, IGNORED))
    ideal = ideal_losses(setting, cells.ratio, cells.density)
    return {
        "superposed_norm": norms(pair.W)[:, -1],
        "superposed_loss": pair.loss,
        "ignored_norm": norms(alone.W)[:, -1],
        "line_pair": ideal[setting.ideal.index(SUPERPOSED)],
        "line_ignored": ideal[setting.ideal.index(IGNORED)],
    }


def _agreement(setting: Setting, fields: dict[str, Any], phases: Labels, far: NDArray[np.bool_]) -> dict[str, Quantity]:
    theory, best, optimum = (fields[name].ravel() for name in ("predicted", "best", "optimum"))
    each = (phases[far] == theory[far, None]).mean(axis=0)
    return {
        "agreement": share((best == theory)[far], "of cells"),
        "agreement_single": mean(each, "of cells"),
        "agreement_everywhere": share(best == theory, "of cells"),
        "agreement_optimum": exact((optimum == theory)[far].mean(), "of cells", "exact optimum of every cell"),
        "trained_is_optimum": share(best == optimum, "of cells"),
    }


def _kept(setting: Setting, fields: dict[str, Any]) -> dict[str, Quantity]:
    """Return, for each ideal phase, the share of the cells predicted to be in it whose best model is."""
    counts = {}
    for phase in setting.ideal:
        there = fields["predicted"] == setting.index(phase)
        counts[f"kept_{_slug(phase)}"] = share((fields["best"] == setting.index(phase))[there], "of cells")
    return counts


def _slug(phase: str) -> str:
    return phase.replace(" ", "_")


def _boundary_errors(setting: Setting, fields: dict[str, Any], seed: int) -> dict[str, Quantity]:
    ideal, at = boundary(setting, fields["ratio"]), fields["exact_boundary"]
    trained = fields["trained_boundary"]
    shift = np.log10(at / ideal)
    finite = np.isfinite(shift)
    low_ratio = finite & (fields["ratio"] < 0.5)
    return {
        "boundary_error": root_mean_square(np.log10(trained / ideal), seed),
        "boundary_error_optimum": root_mean_square(np.log10(trained / at), seed),
        "boundary_theory_error": exact(np.sqrt((shift[finite] ** 2).mean()), "decades", "exact optimum of every ratio"),
        "boundary_shift": exact(10 ** shift[low_ratio].mean(), "", "geometric mean of ratios below one half"),
        "boundary_largest_shift": exact(10 ** shift[finite].max(), "", "largest over ratios"),
    }


def _jumps(setting: Setting, config: SweepConfig, fields: dict[str, Any], edge: ExactBoundary) -> dict[str, Quantity]:
    density, norm = fields["line_density"], fields["line_norm"]
    generator = np.random.default_rng(config.seed)
    picks = generator.integers(0, norm.shape[1], (1000, *norm.shape))
    medians = np.median(np.take_along_axis(norm[None], picks, axis=2), axis=2)
    drawn = [largest_change(density, row) for row in medians]
    low, high = np.quantile(drawn, _tails())
    middle = largest_change(density, np.median(norm, axis=1))
    on_line = exact_boundary(setting, np.array([config.line_ratio]), config.starts, config.halvings, config.seed)
    both = (fields["superposed_norm"] > REPRESENTED_NORM) & (fields["ignored_norm"] < ABSENT_NORM)
    jump = edge.sparse_norm - edge.dense_norm
    finite = np.isfinite(jump)
    return {
        "line_jump": Quantity(middle, float(low), float(high), norm.shape[1], "", "bootstrap over models, 95 %"),
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


def _losses(models: Models, known: Array, searched: Array, best: Array, ideal: Array) -> dict[str, Quantity]:
    noise, found = models.loss / models.floor - 1, models.loss < 1.01 * known[:, None]
    return {
        "loss_within": share(best <= 1.02 * ideal, "of cells"),
        "largest_loss_ratio": exact((best / ideal).max(), "", "largest over cells of best model over best closed form"),
        "smallest_loss_ratio": exact(
            (known / ideal).min(), "", "smallest over cells of exact optimum over closed form"
        ),
        "excess_median": exact(np.median(best / known - 1), "", "median over cells"),
        "excess_largest": exact((best / known - 1).max(), "", "largest over cells"),
        "noise_median": exact(np.median(noise), "", "median over all models"),
        "noise_high": exact(np.quantile(noise, 0.95), "", "95th percentile over all models"),
        "found": mean(found.mean(axis=0), "of cells"),
        "search_missed": exact(int((known < searched * (1 - 1e-6)).sum()), "cells", "training below the search"),
    }


def _failures(setting: Setting, models: Models, phases: Labels, optimum: Labels, known: Array) -> dict[str, Quantity]:
    """Return why models stay more than 1 % above the optimum, as shares of those that do; the first cause that fits."""
    failed = models.loss >= 1.01 * known[:, None]
    gram = np.swapaxes(models.W, -1, -2) @ models.W
    highest = models.b + np.maximum(gram, 0.0).sum(axis=-1)  # the most that each output's argument can be
    there = norms(models.W) > 0.05
    pairs = there[..., None] & there[..., None, :] & ~np.eye(setting.features, dtype=bool)
    ideal = [setting.index(phase) for phase in setting.ideal]
    causes = {
        "dead": (highest <= 0).any(-1),
        "same_way": ((cosines(models.W) > ORTHOGONAL) & pairs).any((-1, -2)),
        "other_ideal": np.isin(phases, ideal) & (phases != optimum[:, None]),
    }
    numbers, left = {"failed": mean(failed.mean(axis=0), "of models")}, failed.copy()
    for name, cause in causes.items():
        hits = (left & cause).sum() / max(failed.sum(), 1)
        numbers[f"failed_{name}"] = exact(hits, "of them", "share of the models more than 1 % above the optimum")
        left &= ~cause
    return numbers


def _counts(setting: Setting, fields: dict[str, Any], phases: Labels) -> dict[str, Quantity]:
    """Return the share of cells in each phase, by best model and by both exact optima, and the share of all models."""
    ideal = [setting.index(phase) for phase in setting.ideal]
    counts = {"best_ideal": share(np.isin(fields["best"], ideal), "of cells")}
    for number, phase in enumerate(setting.phases):
        name = _slug(phase)
        counts[f"best_{name}"] = share(fields["best"] == number, "of cells")
        counts[f"models_{name}"] = mean((phases == number).mean(axis=0), "of models")
        for kind in ("optimum", "optimum_without_bias"):
            hits = (fields[kind] == number).mean()
            counts[f"{kind}_{name}"] = exact(hits, "of cells", "exact optimum of every cell")
    return counts
