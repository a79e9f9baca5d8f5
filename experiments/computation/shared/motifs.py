"""The asymmetric motif with inhibition: how it is found, and what happens when the inhibiting neuron is removed.

Elhage et al. 2022, "Computation in superposition". One neuron serves two features unequally: it takes x_i strongly and
is read out weakly for it, and takes x_j weakly and is read out strongly. Alone, each feature gets its |x|. But x_i
writes too much into output j, so a second neuron that fires on the same side of x_i writes a negative amount into j.

Everything is measured on units rescaled as in `neurons`, and by products that do not depend on the scale of a unit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.neurons import share_served

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ASYMMETRY = 2.0
"""The neuron takes x_i at least so many times as strongly as x_j."""

INVERSE = 0.3
"""The read-out has the inverse ratio, so that both features get the same share, up to this."""

SERVED = 0.25
"""A neuron serves a feature if it delivers at least this share of |x| on its side; a dedicated one delivers 1."""

INHIBITS = 0.5
"""A neuron inhibits output j on a side of x_i if it writes less than minus this into j per unit of x_i."""


class Motif(NamedTuple):
    """Neuron `a` serves features `i` (strong input) and `j` (weak input); `b` inhibits j most where a sees x_i."""

    a: int
    i: int
    j: int
    b: int


def asymmetric_pairs(W: Array, R: Array) -> NDArray[np.int64]:
    """Return the (neuron, strong feature, weak feature) of one model that a neuron serves unequally: (pair, 3).

    `W` is (hidden, feature), `R` (feature, hidden).
    """
    size, served = np.abs(W), share_served(W, R)
    both = (served[:, :, None] > SERVED) & (served[:, None, :] > SERVED)
    unequal = size[:, :, None] > ASYMMETRY * size[:, None, :]
    ratio = np.divide(served[:, None, :], served[:, :, None], out=np.zeros(both.shape), where=both)
    return np.argwhere(both & unequal & (np.abs(ratio - 1) <= INVERSE))


def written(W: Array, R: Array, a: int, i: int, j: int) -> Array:
    """Return what every neuron (hidden,) writes into output j per unit of x_i, on the side of x_i that a sees."""
    return np.asarray(np.maximum(np.sign(W[a, i]) * W[:, i], 0) * R[j])


def motifs(W: Array, R: Array) -> list[Motif]:
    """Return the asymmetric pairs of one model that some neuron inhibits, each with its strongest inhibitor."""
    found = []
    for a, i, j in asymmetric_pairs(W, R):
        amount = written(W, R, a, i, j)
        b = int(np.argmin(amount))
        if b != a and amount[b] < -INHIBITS:
            found.append(Motif(int(a), int(i), int(j), b))
    return found


def inhibited_by_chance(W: Array, R: Array, generator: np.random.Generator, draws: int) -> float:
    """Return the share of asymmetric pairs that are inhibited when the other neurons exchange their read-outs.

    The pair's own neuron keeps its column of R; the columns of all others are permuted. 0 without pairs.
    """
    pairs = asymmetric_pairs(W, R)
    hits = 0
    for a, i, j in pairs:
        others = np.delete(np.arange(len(W)), a)
        for _ in range(draws):
            shuffled = R.copy()
            shuffled[:, others] = R[:, generator.permutation(others)]
            hits += bool(np.delete(written(W, shuffled, a, i, j), a).min() < -INHIBITS)
    return hits / max(draws * len(pairs), 1)


def motifs_by_chance(W: Array, R: Array, generator: np.random.Generator, draws: int) -> float:
    """Return the mean number of motifs when all neurons exchange their read-outs (the columns of R are permuted)."""
    counts = [len(motifs(W, R[:, generator.permutation(R.shape[1])])) for _ in range(draws)]
    return float(np.mean(counts))


def polysemantic_features(W: Array, R: Array) -> Flags:
    """Return which features (feature,) of one model are served by a neuron that serves another feature as well."""
    serves = share_served(W, R) > SERVED
    return np.asarray((serves & (serves.sum(1, keepdims=True) > 1)).any(0))
