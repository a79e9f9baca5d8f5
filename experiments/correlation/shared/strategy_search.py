"""Exact minima for two pairs of partners: over all tied models, or within the family of one strategy.

Cells are pairs of density `p` and signed strength `s`, (cell,); see `coupled_training`. Losses are sums over the four
features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.coupling import partner_given_present
from experiments.core.losses.optimum import everything, minimise
from experiments.correlation.shared.coupled_training import signed_sets
from experiments.correlation.shared.strategies import FOUR_FEATURES, HALF, STRATEGIES, agreement, family, principal_loss

Array = NDArray[np.float64]


_MIXTURES = {
    1: [[1, -1, 0.4, -0.4], [1, -1, 0.3, 0], [0.5, 1, -0.5, -1], [0.7, 0.7, -1, -0.1]],
    2: [[0.6, 0.6, 0, 0, 0, 0, 1, -0.5]],
    3: [[1, 0.2, -0.5, 0, 0, 1, 0, -0.5, 0.3, 0.3, 0.6, 0.6]],
}
"""Further starts for W, row by row: models in one dimension that mix strategies are rarely met by chance."""


class Search(NamedTuple):
    """How hard to look: `starts` random models beside arranged ones, the same at every cell."""

    starts: int
    seed: int


def optimum(p: Array, s: Array, hidden: int, search: Search) -> tuple[Array, Array]:
    """Return loss (cell,) and `W` (cell, hidden, 4) of the lowest minimum found at every cell."""
    starts = _starts(hidden, search)
    sets = np.repeat(signed_sets(p, s, 4, FOUR_FEATURES), len(starts), axis=0)
    found = minimise(everything(hidden, 4), sets=sets, starts=np.tile(starts, (p.size, 1)))
    loss = np.maximum(found.loss.reshape(p.size, -1), 0.0)  # rounding can take a perfect model below 0
    W = found.W.reshape(*loss.shape, hidden, 4)
    return 4 * loss.min(1), W[np.arange(p.size), loss.argmin(1)]


def _starts(hidden: int, search: Search) -> Array:
    generator = np.random.default_rng(search.seed)
    families = [family(name, hidden) for name in STRATEGIES]
    ideal = np.array([np.concatenate([w.ravel() for w in made.weights(made.start)]) for made in families])
    mixed = np.array([[*W, 0, 0, 0, 0] for W in _MIXTURES[hidden]])
    ideal = np.concatenate([ideal, mixed])
    W = generator.normal(0, 0.7, (search.starts, hidden * 4))
    random = np.concatenate([W, generator.uniform(-0.3, 0.3, (search.starts, 4))], axis=1)
    return np.concatenate([ideal + 0.02 * generator.standard_normal(ideal.shape), random])


def least_of(name: str, p: Array, s: Array, hidden: int) -> Array:
    """Return the least loss within a strategy's family (cell,)."""
    made = family(name, hidden)
    shifted = made.start + np.where(np.arange(len(made.start)) < hidden, 0.1, -0.1)
    starts = np.tile(np.stack([made.start, shifted]), (p.size, 1))
    found = minimise(made, sets=np.repeat(signed_sets(p, s, 4, FOUR_FEATURES), 2, axis=0), starts=starts)
    return np.asarray(4 * found.loss.reshape(p.size, 2).min(1))


def linear_loss(p: Array, s: Array, hidden: int) -> Array:
    """Return the loss of linear principal components of two pairs (cell,)."""
    return principal_loss(p, partner_given_present(p, s), 2, 2, hidden)


class Edge(NamedTuple):
    """Where the optimum turns to principal components, (strength,), NaN where it does not between the ends.

    `density` of the edge; `below` and `above`, the agreement of partners on both sides.
    """

    density: Array
    below: Array
    above: Array


def edge(s: Array, hidden: int, ends: tuple[float, float], halvings: int, search: Search) -> Edge:
    """Halve, in the logarithm, the bracket `ends` of densities around where the agreement passes one half."""
    low, high = (np.full(s.size, np.log(end)) for end in ends)
    below, above = (_agreement(np.exp(end), s, hidden, search) for end in (low, high))
    crosses = (below <= HALF) & (above > HALF)
    for _ in range(halvings):
        middle = (low + high) / 2
        found = _agreement(np.exp(middle), s, hidden, search)
        principal = found > HALF
        low, high = np.where(principal, low, middle), np.where(principal, middle, high)
        below, above = np.where(principal, below, found), np.where(principal, found, above)
    return Edge(*np.where(crosses, np.stack([np.exp((low + high) / 2), below, above]), np.nan))


def _agreement(p: Array, s: Array, hidden: int, search: Search) -> Array:
    return agreement(optimum(p, s, hidden, search)[1], FOUR_FEATURES)
