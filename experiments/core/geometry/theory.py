"""What can be said about tied ReLU models without training: families of arrangements, and closed forms.

A family holds the directions fixed and lets lengths and biases vary; `optimum.minimise` gives its least loss.
Losses in closed form are sums over the named features of E[(x_i - y_i)^2], not means.

Sources: Elhage et al. 2022, "Superposition as a phase change", with the losses of its public theory notebook;
Chen et al. 2023, "Dynamical versus Bayesian phase transitions in a toy model of superposition" (k-gons).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.losses.optimum import Family, minimise

Array = NDArray[np.float64]


def blocks(name: str, features: int, *directions: Array) -> Family:
    """Return the family in which each block of features has fixed directions, one common norm and one common bias.

    `directions` are unit columns (hidden, count), one array per block; features take their places in order. Those
    left over are absent: no direction, and a bias of their own in common. Parameters are the norms of the blocks,
    then their biases, then the absent bias (if any feature is absent).
    """
    hidden, used = directions[0].shape[0], sum(block.shape[1] for block in directions)
    norms = np.zeros((len(directions), hidden + 1, features))
    biases = np.zeros((len(directions) + (used < features), hidden + 1, features))
    start = 0
    for k, block in enumerate(directions):
        stop = start + block.shape[1]
        norms[k, :hidden, start:stop] = block
        biases[k, hidden, start:stop] = 1.0
        start = stop
    if used < features:
        biases[-1, hidden, used:] = 1.0
    basis = np.concatenate([norms, biases]).reshape(-1, (hidden + 1) * features)
    return Family(name, hidden, features, basis, np.concatenate([np.ones(len(norms)), np.zeros(len(biases))]))


def two_directions(features: int) -> Family:
    """Return "two features at right angles, the others absent"."""
    return blocks("two directions", features, at_degrees(0, 90))


def digon_and_one(features: int) -> Family:
    """Return "an antipodal pair, one feature at right angles to it, the others absent"."""
    return blocks("digon + one", features, at_degrees(0, 180), at_degrees(90))


def triangle(features: int) -> Family:
    """Return "three features at 120 degrees, the others absent"."""
    return blocks("triangle", features, polygon(3))


def two_digons(features: int) -> Family:
    """Return "two antipodal pairs at right angles, the others absent"."""
    return blocks("two digons", features, polygon(4))


def pentagon(features: int) -> Family:
    """Return "five features at 72 degrees, the others absent"."""
    return blocks("pentagon", features, polygon(5))


def without_bias(family: Family) -> Family:
    """Return the family with every bias held at 0."""
    split = family.hidden * family.features
    norms = (family.basis[:, split:] == 0).all(-1)
    return Family(f"{family.name}, no bias", family.hidden, family.features, family.basis[norms], family.start[norms])


def absent_loss(density: ArrayLike) -> Array:
    """Return the loss of a feature that is not represented, p/3 - p^2/4: the variance, as y is the mean p/2."""
    p = np.asarray(density, dtype=np.float64)
    return np.asarray(p / 3 - p**2 / 4)


def pair_loss(density: ArrayLike) -> Array:
    """Return the loss p^2/3 of two features on opposite unit directions without bias.

    Alone each is recovered; together each loses the smaller of the two values, E[min(x_1, x_2)^2] = 1/6.
    """
    return np.asarray(np.asarray(density, dtype=np.float64) ** 2 / 3)


def together_loss(cosine: ArrayLike) -> Array:
    """Return what two active features at a `cosine` in [-1, 0] lose, in total, with unit norms and no bias.

    With c = -cosine each loses E[min(x_1, c x_2)^2] = c^2/3 - c^3/6.
    """
    c = -np.asarray(cosine, dtype=np.float64)
    return np.asarray(2 * c**2 / 3 - c**3 / 3)


def pair_or_one(importance: ArrayLike) -> Array:
    """Return the density below which a unit digon beats dropping the less important feature (importance r <= 1).

    (1 + r) p^2/6 = r (p/3 - p^2/4) at p = 4r/(5r + 2); 4/7 for equal importance.
    """
    r = np.asarray(importance, dtype=np.float64)
    return np.asarray(4 * r / (5 * r + 2))


def least_in_family(family: Family, density: ArrayLike) -> Array:
    """Return the least exact loss within `family` at each density (case,), from several starts."""
    p = np.atleast_1d(np.asarray(density, dtype=np.float64))
    norms = int((family.start == 1).sum())
    starts = np.tile(family.start, (6, 1))
    starts[:3, :norms], starts[3:, :norms] = 1.0, 0.7
    starts[:, norms:] = np.array([0.0, 0.3, -0.2] * 2)[:, None]
    found = minimise(family, np.repeat(p, 6)[:, None], starts=np.tile(starts, (len(p), 1)))
    return np.asarray(found.loss.reshape(len(p), 6).min(-1))


def crossing(one: Family, two: Family, low: float, high: float) -> float:
    """Return the density in [low, high] at which two families have the same least loss.

    Raises `ValueError` if their order is the same at both ends.
    """

    def advantage(p: float) -> float:
        return float((least_in_family(one, p) - least_in_family(two, p))[0]) / p

    return float(brentq(advantage, low, high, xtol=1e-9))
