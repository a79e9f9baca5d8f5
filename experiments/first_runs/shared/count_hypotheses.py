"""What decides how many features are represented? Hypotheses about sizes (n features, d dimensions) and densities p.

Each says that one curve holds for all sizes: the represented share of n is one function of p n / d, of p n, or of
p n ln(1/p) / d; or, as in the paper's picture, the number per dimension is a function of p alone until it reaches n. A
hypothesis is scored by predicting each size from the others (`core.collapse`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.collapse import held_out_errors, root_mean_square
from experiments.core.quantities import Quantity, from_resamples

Array = NDArray[np.float64]
Sizes = Sequence[tuple[int, int]]

SATURATED = 0.98
"""Above this share of represented features a size says only that its dimensions could hold at least so many."""


@dataclass(frozen=True)
class Contrast:
    """Held-out error of each hypothesis about the number of represented features, in decades.

    `ratio` is the error of p n / d over the lower of those of p and of p n.
    """

    pn_over_d: Quantity
    pn: Quantity
    pn_log_over_d: Quantity
    p: Quantity
    ratio: Quantity


def contrast(sizes: Sizes, density: Sequence[float], counts: Array, resamples: int, seed: int) -> Contrast:
    """Return every hypothesis' error for `counts` (size, density, seed), with bootstrap intervals over seeds."""
    p, seeds = np.array(density), counts.shape[-1]
    chosen = np.random.default_rng(seed).integers(0, seeds, (resamples, seeds))
    names = list(held_out(sizes, p, counts.mean(-1)))
    sampled = np.array([_scores(sizes, p, counts[..., row].mean(-1)) for row in chosen])
    centre = _scores(sizes, p, counts.mean(-1))
    found = {name: from_resamples(centre[k], sampled[:, k], seeds, unit="decades") for k, name in enumerate(names)}
    ours, rivals = names.index("pn_over_d"), [names.index("p"), names.index("pn")]
    ratio = sampled[:, ours] / sampled[:, rivals].min(1)
    return Contrast(**found, ratio=from_resamples(float(centre[ours] / centre[rivals].min()), ratio, seeds))


def held_out(sizes: Sizes, p: Array, counts: Array) -> dict[str, list[Array]]:
    """Return log10 of measured over predicted `counts` (size, density), per hypothesis and size."""
    shares = [np.log10(count / n) for count, (n, _) in zip(counts, sizes, strict=True)]
    per_dimension = np.array([count / d for count, (_, d) in zip(counts, sizes, strict=True)])
    full = np.array([count > SATURATED * n for count, (n, _) in zip(counts, sizes, strict=True)])
    errors = {
        "pn_over_d": held_out_errors([np.log(p * n / d) for n, d in sizes], shares),
        "pn": held_out_errors([np.log(p * n) for n, _ in sizes], shares),
        "pn_log_over_d": held_out_errors([np.log(p * n * np.log(1 / p) / d) for n, d in sizes], shares),
    }
    errors["p"] = [
        np.log10(counts[k] / _up_to(n, d, np.delete(per_dimension, k, axis=0), np.delete(full, k, axis=0)))
        for k, (n, d) in enumerate(sizes)
    ]
    return errors


def _up_to(features: int, hidden: int, per_dimension: Array, full: NDArray[np.bool_]) -> Array:
    """Return predicted counts (density,) from the other sizes' counts per dimension (size, density).

    Sizes with all features represented, `full` (size, density), give a lower bound on the curve, the rest its value.
    There is no prediction, NaN, where it would rest on a bound below n alone.
    """
    open_sizes = (~full).sum(0)
    value = np.where(full, 0.0, per_dimension).sum(0) / np.maximum(open_sizes, 1)
    bound = np.where(full, per_dimension, 0.0).max(0)
    known = (open_sizes > 0) | (bound * hidden >= features)
    return np.where(known, np.minimum(np.maximum(value, bound) * hidden, features), np.nan)


def _scores(sizes: Sizes, p: Array, counts: Array) -> Array:
    """Return each hypothesis' error over the points that all of them predict and where features are still left out.

    A size with all features represented agrees with every hypothesis that predicts so, and would only dilute the test.
    """
    errors = held_out(sizes, p, counts)
    left_out = counts <= SATURATED * np.array(sizes)[:, :1]
    scored = [np.isfinite(np.array(rows)).all(0) for rows in zip(*errors.values(), strict=True)]
    scored = [keep & some for keep, some in zip(scored, left_out, strict=True)]
    return np.array([root_mean_square(rows, scored) for rows in errors.values()])
