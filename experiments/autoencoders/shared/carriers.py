"""Which latent carries an event.

An *event* is one cluster that is on in one sample: a true feature is present. Latent j contributes
`a_j (w_j . f) ` to the reconstruction along the feature's direction f. The carrier is the latent that contributes most.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.split_information import CARRIED, NOBODY
from experiments.core.synthetic_data import Events


def carriers(latents: ArrayLike, W_dec: ArrayLike, events: Events, carried: float = CARRIED) -> NDArray[np.int64]:
    """Return the latent that carries each event (event,), `NOBODY` where none contributes `carried` of its magnitude.

    `latents` (sample, latent) are activations, `W_dec` (latent, hidden) the decoder's rows. Blind spot: of several
    latents that share an event only the largest counts, and a share below `carried` counts as nothing.
    """
    rows = np.asarray(latents, dtype=np.float32)[events.sample]
    contribution = rows * (events.direction @ np.asarray(W_dec, dtype=np.float32).T)
    best = contribution.argmax(1)
    enough = contribution[np.arange(best.size), best] >= carried * events.magnitude
    return np.where(enough, best, NOBODY)


def removal_cost(latents: ArrayLike, W_dec: ArrayLike, residual: ArrayLike) -> NDArray[np.float64]:
    """Return by how much the squared error rises when each latent alone is silenced (latent,), per sample.

    With `residual = x - x̂` it is `E[2 a_j r.w_j + a_j^2 |w_j|^2]`; above 0 for a latent that helps. The other
    latents stay as they are. Given the residual of *another* autoencoder and a minus sign on the first term, this is
    the stitching test, see `insertion_cost`.
    """
    return _cost(latents, W_dec, residual, sign=1.0)


def insertion_cost(latents: ArrayLike, W_dec: ArrayLike, residual: ArrayLike) -> NDArray[np.float64]:
    """Return by how much the squared error of a small autoencoder rises when it is given each latent of a large one.

    `residual` (sample, hidden) is the small one's: `E[-2 a_j r.w_j + a_j^2 |w_j|^2]` (latent,). Below 0 for a latent
    that brings something new, above 0 for one whose part the small autoencoder has already. Leask et al. 2025,
    "Sparse Autoencoders Do Not Find Canonical Units of Analysis" (2502.04878).
    """
    return _cost(latents, W_dec, residual, sign=-1.0)


def _cost(latents: ArrayLike, W_dec: ArrayLike, residual: ArrayLike, sign: float) -> NDArray[np.float64]:
    a, rows = np.asarray(latents, dtype=np.float64), np.asarray(W_dec, dtype=np.float64)
    # Sums over samples first: no array (sample, latent) of products is made.
    along = ((a.T @ np.asarray(residual, dtype=np.float64)) * rows).sum(1)
    power = np.einsum("sj,sj->j", a, a) * (rows**2).sum(1)
    return np.asarray((2 * sign * along + power) / len(a))
