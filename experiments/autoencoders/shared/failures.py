"""What goes wrong in sparse autoencoders beside splitting, each as a number with a known zero.

`latents` are activations (sample, latent), `W_dec` (latent, hidden) decoder rows, `directions` (feature, hidden) the
truth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.synthetic_data.sample import unit

Array = NDArray[np.float64]

LOADED = 0.4
"""A decoder row holds a feature if the absolute cosine exceeds this."""


class Absorption(NamedTuple):
    """Per parent feature: the `latent` that tracks it, its `cosine` with it, and how often it fires when the parent is
    present `alone` and when it is `accompanied` by a child."""

    latent: NDArray[np.int64]
    cosine: Array
    alone: Array
    accompanied: Array

    @property
    def gap(self) -> Array:
        """Absorption (parent,) in [-1, 1]: recall without a child minus recall with one; 0 if a child changes
        nothing."""
        return self.alone - self.accompanied


def absorption(
    latents: ArrayLike, W_dec: ArrayLike, parents: ArrayLike, parent: ArrayLike, child: ArrayLike
) -> Absorption:
    """Return how far each parent's latent falls silent when a child is present.

    `parents` (parent, hidden) are directions; `parent` and `child` (sample, parent) say whether the parent is
    present, and whether one of its children is. The latent is the one with the highest cosine. Blind spot: where no
    latent tracks the parent at all the gap means nothing, so look at `cosine`.
    """
    fires = np.asarray(latents) > 0
    cosines = unit(np.asarray(parents, dtype=np.float64)) @ _unit_or_zero(W_dec).T
    latent = cosines.argmax(1)
    tracked = fires[:, latent]
    here, also = np.asarray(parent, dtype=bool), np.asarray(child, dtype=bool)
    return Absorption(latent, cosines.max(1), _recall(tracked, here & ~also), _recall(tracked, here & also))


def absorbed_share(
    latents: ArrayLike, W_dec: ArrayLike, parents: ArrayLike, values: ArrayLike, child: ArrayLike, least: float = 0.4
) -> Array:
    """Return the share (parent,) of events with a child in which another latent stands in for the silent parent latent.

    It stands in if it contributes at least `least` of the parent's value along the parent's direction. `values`
    (sample, parent) are true values. After SAEBench's full absorption, on ground truth in place of a probe.
    """
    a, rows = np.asarray(latents, dtype=np.float64), np.asarray(W_dec, dtype=np.float64)
    size, also = np.asarray(values, dtype=np.float64), np.asarray(child, dtype=bool)
    along = rows @ unit(np.asarray(parents, dtype=np.float64)).T
    tracking = (along / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)[:, None]).argmax(0)
    found = np.zeros(size.shape[1])
    for k, latent in enumerate(tracking):
        both = (size[:, k] > 0) & also[:, k]
        others = np.delete(a[both] * along[:, k], latent, axis=1)
        stands_in = others.max(1, initial=0.0) >= least * size[both, k]
        found[k] = float((stands_in & (a[both, latent] <= 0)).mean()) if both.any() else 0.0
    return found


def holdings(W_dec: ArrayLike, directions: ArrayLike, loaded: float = LOADED) -> NDArray[np.int64]:
    """Return how many true features each decoder row holds (..., latent), by `|cos| > loaded`.

    1 for a latent of one feature, 2 or more for a composed one, 0 for a row that is nothing in particular. Blind spot:
    features that are themselves close count as held together.
    """
    return np.asarray((np.abs(_unit_or_zero(W_dec) @ np.asarray(directions, dtype=np.float64).T) > loaded).sum(-1))


def purity(latents: ArrayLike, present: ArrayLike, top: int) -> float:
    """Return how alike a latent's strongest activations look: the mean over latents of the share of its `top`
    strongest samples in which its commonest true feature is present, in [0, 1].

    What a reader of top activations goes by. `present` (sample, feature). Latents that fire on fewer than `top` samples
    are left out; 0 if all are. Blind to everything but the strongest activations.
    """
    a, truth = np.asarray(latents), np.asarray(present, dtype=np.float64)
    often = np.flatnonzero((a > 0).sum(0) >= top)
    strongest = np.argsort(-a[:, often], axis=0, kind="stable")[:top]
    return float(truth[strongest].mean(0).max(1).mean()) if often.size else 0.0


def _recall(fires: NDArray[np.bool_], when: NDArray[np.bool_]) -> Array:
    return np.asarray((fires & when).sum(0) / np.maximum(when.sum(0), 1), dtype=np.float64)


def _unit_or_zero(W_dec: ArrayLike) -> Array:
    rows = np.asarray(W_dec, dtype=np.float64)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
