"""What a phase sweep finds: the maps, the line, and the numbers that the page and the claims quote."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import undefined
from experiments.core.metrics import REPRESENTED_NORM, norms
from experiments.core.phases import IGNORED, SUPERPOSED, Setting, classify, ideal_losses, predicted
from experiments.phase_change.shared.phase_numbers import Numbers, Optima, phase_numbers
from experiments.phase_change.shared.phase_sweep import (
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

_ONE_SIDED = "the shortest column of the optimum is on one side of one half over the whole column of the map"


@dataclass(frozen=True)
class SweepResult:
    """Phases are numbers into the setting's `phases`. `numbers` holds what is quoted.

    The line runs at a fixed ratio. Its branches are the local minima that continue the two ideal solutions;
    `ignored_norm` leaves 0 where ignoring the feature is no minimum any more.
    """

    ratio: Array  # (ratio,)
    density: Array  # (density,)
    predicted: Labels  # (ratio, density), by the closed forms
    optimum: Labels  # (ratio, density), of the exact loss
    optimum_without_bias: Labels  # (ratio, density)
    best: Labels  # (ratio, density), the best of all models of a cell
    shares: Array  # (ratio, density, phase), of all models
    extra_norm: Array  # (ratio, density), length of the extra feature's column in the best model
    extra_norm_paper: Array  # (ratio, density), its mean over models without the one of highest loss
    gain: Array  # (ratio, density), the exact optimum's loss over the best closed form
    excess: Array  # (ratio, density), the best model's loss over the exact optimum, less 1
    line_density: Array  # (line density,)
    line_norm: Array  # (line density, model)
    line_loss: Array  # (line density, model)
    superposed_norm: Array  # (line density,)
    superposed_loss: Array  # (line density,)
    ignored_norm: Array  # (line density,)
    line_pair: Array  # (line density,), the pair's loss in closed form
    line_ignored: Array  # (line density,), the loss of ignoring the feature, exact also where it is a saddle
    numbers: Numbers
    trained_boundary: Array = undefined("the best models of this ratio do not change within the map")  # (ratio,)
    exact_boundary: Array = undefined(_ONE_SIDED)  # (ratio,)
    sparse_norm: Array = undefined(_ONE_SIDED)  # (ratio,), shortest column of the optimum just below the boundary
    dense_norm: Array = undefined(_ONE_SIDED)  # (ratio,), just above it


def sweep(config: SweepConfig, device: str) -> dict[str, Any]:
    """Train, search and compare; return the fields of a `SweepResult`."""
    setting, cells, shape = config.setting, map_cells(config), (config.ratios, config.densities)
    models, line = train_cells(setting, config, device)
    best = models.best()
    search = global_minimum(setting, cells, config.starts, config.seed)
    plain = global_minimum(setting, cells, config.starts, config.seed, bias=False)
    edge = exact_boundary(setting, config.ratio_axis, config.starts, config.halvings, config.seed)
    ideal = ideal_losses(setting, cells.ratio, cells.density).min(axis=0)
    phases, known = classify(setting, models.W), np.minimum(search.loss, best.floor)
    maps: dict[str, Any] = {
        "predicted": predicted(setting, cells.ratio, cells.density),
        "optimum": classify(setting, search.W),
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
    numbers = phase_numbers(config, fields, models, phases, Optima(known, search.loss, best.loss, ideal), edge)
    return {**fields, "numbers": numbers}


def phase_shares(setting: Setting, phases: Labels) -> Array:
    """Return the share of models in each phase, (cell, phase), from labels (cell, model)."""
    return np.stack([(phases == number).mean(axis=1) for number in range(len(setting.phases))], axis=-1)


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
