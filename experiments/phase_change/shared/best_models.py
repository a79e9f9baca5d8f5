"""Numbers of the best model of each cell: what would other models of the same cells have given?

The cells are chosen, and there is nothing random about them; which of the models of a cell is the best one is. So the
models of each cell are drawn again with replacement (a bootstrap; cells train independently of each other). How often
each model is then the best follows from its rank alone.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from experiments.core.quantities import CONFIDENCE, Quantity, share

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

OF = "bootstrap over models of each cell"


def chances(models: int) -> Array:
    """Return how likely the model of each rank (rank,), the best first, is the best of `models` that are drawn."""
    rank = np.arange(models)
    return np.asarray(((models - rank) ** models - (models - rank - 1) ** models) / float(models) ** models)


def share_of_best(hits: Flags, loss: Array, unit: str = "of cells") -> Quantity:
    """Return the share of cells whose best model is a hit, given `hits` and `loss` (cell, model).

    Its error is that of a sum of independent cells, each of which is a hit as often as in the bootstrap; half a cell is
    added on either side, since a share is a count (correction for continuity). Where all models are hits, or none is,
    no resample differs; the interval then says how rare the exception among models may be.
    """
    if hits.all() or not hits.any():
        of_models = share(hits, unit)
        return replace(of_models, n=len(hits), method=f"all models of all cells alike; {of_models.method}, over models")
    by_rank = _by_rank(hits, loss)
    likely = by_rank @ chances(loss.shape[1])
    error = float(np.sqrt((likely * (1 - likely)).sum()) / len(hits))
    how = f"{OF}, in closed form, normal with correction for continuity"
    return _around(float(by_rank[:, 0].mean()), error, len(hits), unit, (0.0, 1.0), how, step=1 / len(hits))


def resampled_best(hits: Flags, loss: Array, resamples: int, seed: int) -> Flags:
    """Return whether the best model of each cell is a hit in each resample (resample, cell)."""
    models = loss.shape[1]
    best = np.random.default_rng(seed).choice(models, (resamples, len(loss)), p=chances(models))
    return np.asarray(np.take_along_axis(_by_rank(hits, loss), best.T, axis=1).T)


def root_mean_square(errors: Array, resampled: Array) -> Quantity:
    """Return the root mean square of `errors` (ratio,) in decades, given those of resamples (resample, ratio).

    What is not a finite number is left out.
    """
    found, drawn = (np.sqrt(np.nanmean(np.where(np.isfinite(each), each, np.nan) ** 2, axis=-1)) for each in
                    (errors, resampled))  # fmt: skip
    kept = int(np.isfinite(errors).sum())
    method = f"{OF}, {len(resampled)} resamples, normal"
    return _around(float(found), float(drawn.std(ddof=1)), kept, "decades", (0.0, np.inf), method)


def _by_rank(hits: Flags, loss: Array) -> Flags:
    """Return the hits of each cell's models, the best first; among equals, the first is the best."""
    return np.asarray(np.take_along_axis(hits, np.argsort(loss, axis=1, kind="stable"), axis=1))


def _around(
    value: float, error: float, n: int, unit: str, within: tuple[float, float], how: str, step: float = 0.0
) -> Quantity:
    """Return a value of a given error, which moves in steps of this size."""
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error + step / 2
    low, high = max(value - half, within[0]), min(value + half, within[1])
    return Quantity(value, low, high, n, unit, f"{how}, {100 * CONFIDENCE:.0f} %")
