"""How well an autoencoder recovered known features, each score with its formula and what it is blind to.

`W_dec` (latent, hidden) holds the dictionary, `directions` (feature, hidden) the truth; lengths do not matter. `f`
(sample, latent) are activations, `x` (sample, hidden) what was encoded and `output` its reconstruction. Everything is
float64. Definitions follow SAELens 6.54 (`sae_lens.synthetic.evals`) where it has one; a test compares the two.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]

_SHORTEST = 1e-8
"""Rows shorter than this have no direction: their cosines are 0."""


def cosines(W_dec: ArrayLike, directions: ArrayLike) -> Array:
    """Return the cosine of every latent with every feature (latent, feature), in [-1, 1]."""
    rows, truth = (np.asarray(each, dtype=np.float64) for each in (W_dec, directions))
    rows, truth = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), _SHORTEST) for each in (rows, truth))
    return np.asarray(rows @ truth.T)


def mmcs(cosine: Array) -> float:
    """Return the mean over features of the largest cosine of any latent (Sharkey et al. 2022).

    Blind to how many latents share a feature, and it grows with width by chance alone: compare with random directions.
    """
    return float(cosine.max(axis=0).mean())


def mcc(cosine: Array, *, signed: bool = False) -> float:
    """Return the mean cosine over the best one-to-one matching of latents and features.

    The published form takes |cos|, so it cannot tell a feature from its antipode, which latents, never negative, can;
    `signed` does not. With unequal numbers only min(latents, features) pairs are counted: missing features and
    spare latents are both free.
    """
    values = cosine if signed else np.abs(cosine)
    rows, columns = linear_sum_assignment(-values)
    return float(values[rows, columns].mean())


def uniqueness(cosine: Array) -> float:
    """Return the number of distinct features that are nearest (|cos|) to some latent, over the number of latents.

    A dead latent counts as tracking whatever it happens to be nearest to.
    """
    return len(np.unique(np.abs(cosine).argmax(axis=1))) / len(cosine)


class Detection(NamedTuple):
    """Each latent as a detector; 0 where a share is undefined."""

    precision: Array
    recall: Array
    f1: Array


def detection(fires: ArrayLike, present: ArrayLike) -> Detection:
    """Return precision, recall and F1 of columns of `fires` (sample, pair) against those of `present`."""
    fires, present = np.asarray(fires, dtype=bool), np.asarray(present, dtype=bool)
    return from_counts((fires & present).sum(axis=0), fires.sum(axis=0), present.sum(axis=0))


def from_counts(both: ArrayLike, fired: ArrayLike, present: ArrayLike) -> Detection:
    """Return precision both/fired, recall both/present and F1, their harmonic mean.

    Averaged over latents, each against its nearest feature, it says nothing of features that no latent is nearest to:
    that is what `covered` is for.
    """
    hits = np.asarray(both, dtype=np.float64)
    precision, recall = _ratio(hits, fired), _ratio(hits, present)
    return Detection(precision, recall, _ratio(2 * precision * recall, precision + recall))


def covered(best_cosine: ArrayLike, f1: ArrayLike, least: float = 0.8) -> NDArray[np.bool_]:
    """Return whether each feature has a latent: its nearest (signed) one has cosine and F1 above `least`.

    Both conditions matter: a direction can be right and the latent silent, or the latent right about when and wrong
    about where. Blind to magnitudes.
    """
    return (np.asarray(best_cosine) > least) & (np.asarray(f1) > least)


def explained_variance(x: ArrayLike, output: ArrayLike) -> float:
    """Return 1 - E ||x - x̂||^2 / (E ||x||^2 - ||E x||^2): 0 for the mean, 1 for x itself.

    It says nothing of features: the best reconstruction need not use any true direction.
    """
    x, output = np.asarray(x, dtype=np.float64), np.asarray(output, dtype=np.float64)
    variance = (x**2).sum(axis=1).mean() - (x.mean(axis=0) ** 2).sum()
    return float(1 - ((x - output) ** 2).sum(axis=1).mean() / variance)


def l0(f: ArrayLike) -> float:
    """Return the mean number of latents that are not 0; blind to which they are and to how large."""
    return float((np.asarray(f) != 0).sum(axis=1).mean())


def dead(f: ArrayLike) -> int:
    """Return how many latents never fire on these samples; fewer samples, more dead: state how many."""
    return int((~(np.asarray(f) != 0).any(axis=0)).sum())


def shrinkage(x: ArrayLike, output: ArrayLike, shortest: float = 1e-6) -> float:
    """Return the mean of ||x̂|| / ||x|| over samples longer than `shortest`; it mixes shrinkage with what is missing."""
    x, output = np.asarray(x, dtype=np.float64), np.asarray(output, dtype=np.float64)
    length = np.linalg.norm(x, axis=1)
    long = length > shortest
    return float((np.linalg.norm(output[long], axis=1) / length[long]).mean())


def slope(f: ArrayLike, magnitude: ArrayLike) -> Array:
    """Return sum f s / sum s^2 per pair, over samples in which latent and feature are both active; 0 without any.

    `magnitude` s (sample, pair) is the feature's value times the length of its direction, so 1 means that nothing is
    shrunk. Blind to samples that the latent misses.
    """
    f, s = np.asarray(f, dtype=np.float64), np.asarray(magnitude, dtype=np.float64)
    both = (f > 0) & (s > 0)
    return _ratio((f * s * both).sum(axis=0), (s**2 * both).sum(axis=0))


def consistency(first: ArrayLike, second: ArrayLike) -> float:
    """Return the mean |cos| of two dictionaries under the best matching (PW-MCC, arXiv 2505.20254): needs no truth.

    Two dictionaries can agree on the same mistake.
    """
    return mcc(cosines(first, second))


def crowding(W_dec: ArrayLike) -> float:
    """Return the mean |cos| between different dictionary rows (c_dec, arXiv 2508.16560): needs no truth.

    Low where latents do not mix features, if the features themselves are close to orthogonal; it cannot see which.
    """
    cosine = np.abs(cosines(W_dec, W_dec))
    count = len(cosine)
    return float((cosine.sum() - np.trace(cosine)) / max(count * (count - 1), 1))


def random_dictionary(latents: int, hidden: int, generator: np.random.Generator) -> Array:
    """Return `latents` unit rows in random directions: what a dictionary scores by chance."""
    rows = generator.standard_normal((latents, hidden))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _ratio(part: ArrayLike, whole: ArrayLike) -> Array:
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below > 0))
