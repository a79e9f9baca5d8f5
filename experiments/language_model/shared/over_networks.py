"""Numbers of this part with their intervals: what is independent is the network, so each network gives one number.

Dictionaries of one network and documents read by it share its weights, so they are averaged first. The text is a fixed
corpus that no seed draws anew; intervals speak of networks trained on that text and judged on its held-out documents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import CONFIDENCE, Quantity, exact, mean

Array = NDArray[np.float64]

LEAST = 3
"""Networks that an interval needs."""
GIVEN = "the held-out text is given"


def padded(found: Sequence[Sequence[Sequence[ArrayLike]]]) -> Array:
    """Return (width, network, dictionary, ...), NaN where a network has fewer dictionaries of a width or none."""
    rows = [
        [np.asarray(each, dtype=np.float64) for each in of_network] for of_width in found for of_network in of_width
    ]
    inner = next(row[0].shape for row in rows if row)
    array = np.full((len(rows), max(map(len, rows)), *inner), np.nan)
    for into, row in zip(array, rows, strict=True):
        if row:
            into[: len(row)] = row
    return array.reshape(len(found), -1, *array.shape[1:])


def by_width(found: Mapping[float, Sequence[Sequence[Sequence[object]]]], name: str) -> Array:
    """Return one number of all that is `found` by width and (network, dictionary, concept), as an array of these axes.

    `name` is the attribute that holds the number; NaN stands where there is no dictionary.
    """
    return padded(
        [
            [[[getattr(each, name) for each in row] for row in of_network] for of_network in of_width]
            for of_width in found.values()
        ]
    )


def of_networks(values: Array) -> Array:
    """Return the mean (network,) over the dictionaries and concepts of `values` (network, dictionary, concept)."""
    return per_network(values.mean(-1))


def per_network(values: ArrayLike, axis: int = 1) -> Array:
    """Return the mean over the dictionaries of each network, `axis` of `values`, of those that are no NaN.

    NaN where a network has no dictionary.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    count = known.sum(axis)
    total = np.where(known, numbers, 0.0).sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def over_networks(values: ArrayLike, unit: str = "", within: tuple[float, float] | None = None) -> Quantity:
    """Return the mean of `values` (network,) with its Student t interval over networks; `within` as in `mean`.

    NaN stands for a network without a value, which is left out. With fewer than `LEAST` others there is no interval.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    if len(known) < LEAST:
        return exact(float(known.mean()), unit, method=f"mean of {len(known)}, no interval")
    found = mean(known, unit, within)
    return replace(found, method=f"{found.method}, over networks; {GIVEN}")


def over_pairs(values: ArrayLike, unit: str = "", within: tuple[float, float] | None = None) -> Quantity:
    """Return the mean over all pairs of networks of a symmetric `values` (network, network), the diagonal left out.

    A network is in several pairs, so the unit is the network: the interval is a Student t interval whose standard error
    is the jackknife's, which leaves one network out at a time.
    """
    numbers = np.where(np.eye(len(np.asarray(values)), dtype=bool), 0.0, values)
    count = len(numbers)
    total = float(numbers.sum()) / 2
    centre = total / comb(count, 2)
    if count < LEAST:
        return exact(centre, unit, method=f"{count} networks, no interval")
    without = (total - numbers.sum(1)) / comb(count - 1, 2)
    half = _t(count) * sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    low, high = _inside(centre - half, centre + half, within)
    method = f"mean over {comb(count, 2)} pairs; jackknife over networks, Student t, 95 %; {GIVEN}"
    return Quantity(centre, low, high, count, unit, method)


def share_over_networks(hits: ArrayLike) -> Quantity:
    """Return the share of true values in `hits` (network, dictionary), with an interval over networks.

    It is Wilson's score interval for as many observations as there are networks. Shares of networks with a mean p have
    at most the variance p(1 - p) of single observations, so it is not too narrow, however alike the dictionaries of one
    network are, and it does not shrink to a point where all shares are 0.
    """
    from scipy import stats

    shares = np.asarray(hits, dtype=np.float64).mean(1)
    count, p = len(shares), float(shares.mean())
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    centre, scale = p + z**2 / (2 * count), 1 + z**2 / count
    half = z * sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    low, high = _inside((centre - half) / scale, (centre + half) / scale, (0.0, 1.0))
    method = f"Wilson score interval with the network as the unit, 95 %; {GIVEN}"
    return Quantity(p, low, high, count, "", method)


def counted(hits: ArrayLike, unit: str) -> Quantity:
    """Return the share of true values in `hits`, to be written as a count; without an interval."""
    flags = np.asarray(hits, dtype=bool).ravel()
    return Quantity(float(flags.mean()), n=flags.size, unit=unit, method="counted, no interval")


def _t(count: int) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))


def _inside(low: float, high: float, within: tuple[float, float] | None) -> tuple[float, float]:
    return (low, high) if within is None else (max(low, within[0]), min(high, within[1]))
