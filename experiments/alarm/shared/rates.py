"""How well scores tell danger from its absence, with attention to very low rates of false alarms.

An alarm that watches every sample is judged by the rate of true alarms (TPR) at a rate of false alarms (FPR) that
somebody can live with. The area under the curve (AUROC) is dominated by rates at which nobody would run an alarm.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def threshold_at(negatives: ArrayLike, rate: float) -> Array:
    """Return the score (...) that a share `rate` of the last axis of `negatives` exceeds.

    The share must be resolved: at least one negative lies above. Raises ValueError otherwise.
    """
    scores = np.asarray(negatives)
    above = int(rate * scores.shape[-1])
    if above < 1:
        raise ValueError(f"a rate of {rate:g} cannot be told from 0 with {scores.shape[-1]} negatives")
    return np.asarray(np.partition(scores, -above - 1, axis=-1)[..., -above - 1], dtype=np.float64)


class Tail:
    """The largest scores of a stream of negatives, enough to find the threshold of any rate up to `most`.

    `add` takes scores (detector, count) piece by piece; memory holds `most * total` scores per detector.
    """

    def __init__(self, total: int, most: float) -> None:
        self.total = total
        self.kept = int(most * total) + 1
        self.largest: NDArray[np.float32] | None = None
        self.seen = 0

    def add(self, scores: NDArray[np.float32]) -> None:
        """Take in the scores of more negatives."""
        self.seen += scores.shape[-1]
        both = scores if self.largest is None else np.concatenate([self.largest, scores], axis=-1)
        extra = both.shape[-1] - self.kept
        self.largest = np.partition(both, extra, axis=-1)[..., extra:] if extra > 0 else both

    def threshold(self, rate: float) -> Array:
        """Return the score (detector,) that a share `rate` of all negatives exceeds."""
        above = int(rate * self.seen)
        if self.largest is None or above < 1 or above >= self.largest.shape[-1]:
            raise ValueError(f"a rate of {rate:g} of {self.seen} negatives is outside what the tail has kept")
        place = self.largest.shape[-1] - above - 1
        return np.asarray(np.partition(self.largest, place, axis=-1)[..., place], dtype=np.float64)


def auroc(positives: ArrayLike, negatives: ArrayLike) -> Array:
    """Return the probability that a positive scores above a negative (...), ties counting one half, last axes samples.

    Equal to the area under the ROC curve (Mann and Whitney).
    """
    yes, no = np.asarray(positives, dtype=np.float64), np.sort(np.asarray(negatives, dtype=np.float64), axis=-1)
    flat_yes, flat_no = yes.reshape(-1, yes.shape[-1]), no.reshape(-1, no.shape[-1])
    areas = [
        (np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")).mean() / (2 * low.size)
        for high, low in zip(flat_yes, flat_no, strict=True)
    ]
    return np.array(areas).reshape(yes.shape[:-1])


def precision(base_rate: float, true_rate: ArrayLike, false_rate: float) -> Array:
    """Return the share of alarms that are right when danger has the given base rate."""
    hits = base_rate * np.asarray(true_rate, dtype=np.float64)
    return np.asarray(hits / (hits + (1 - base_rate) * false_rate))
