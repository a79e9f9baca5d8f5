"""Arrangements of equally important features: minima of energies, trained models, and how far the two are apart."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from experiments.basic_results.shared.loss_terms import one_active
from experiments.core.geometry.configurations import sorted_angles
from experiments.core.geometry.spreading import POSITIVE_INTERFERENCE, Spread, total_energy
from experiments.core.metrics import directions
from experiments.core.quantities import Quantity, bootstrap

Array = NDArray[np.float64]

AS_LOW = 1e-9
"""Starts whose energy is within this of the least have found the same minimum, or an equal one."""


class Case(NamedTuple):
    """Minima for one number of points."""

    dimension: int
    points: int
    ideal: Spread
    charges: Spread


class Trained(NamedTuple):
    """The models trained for one case: columns and number of represented features of each, and which is best.

    `loss` is on samples common to all seeds; `miss`, `miss_charges` and `miss_packing` are how far their angles are
    from each kind of minimum.
    """

    W: Array  # (seed, dimension, point)
    live: NDArray[np.int64]  # (seed,)
    loss: Array  # (seed,)
    miss: Array  # (seed,)
    miss_charges: Array  # (seed,)
    miss_packing: Array  # (seed,)

    @property
    def best(self) -> int:
        """The seed of least loss."""
        return int(self.loss.argmin())


def interference_of(W: Array) -> float:
    """Return the positive interference of the directions of `W` (dimension, point)."""
    return float(total_energy(directions(W), POSITIVE_INTERFERENCE))


def angles_off(W: Array, found: Spread) -> Array:
    """Return the largest difference (seed,) between sorted angles of `W` (seed, dimension, point) and of the nearest
    equally low minimum, in degrees."""
    minima = found.positions[found.energy <= found.energy[0] + AS_LOW]
    return np.asarray(np.abs(sorted_angles(minima) - sorted_angles(W)[:, None]).max(-1).min(-1))


def share_of_the_best(hits: NDArray[np.bool_], models: list[Trained], seed: int) -> Quantity:
    """Return the share of cases whose best model is a hit, from hits (case, seed)."""
    loss = np.stack([each.loss for each in models])
    rows = np.arange(len(models))
    found = bootstrap(lambda seeds: float(hits[rows, seeds[loss[:, seeds].argmin(1)]].mean()), loss.shape[1], seed=seed)
    return replace(found, n=len(models), method=f"share of cases; {found.method}, the best chosen anew")


def freed_loss(columns: Array) -> float:
    """Return the least loss with one feature present of an arrangement whose common norm and bias are free.

    The loss is a sum over features, as in the energy, over that of answering 0: 0 perfect, 1 nothing learned.
    """
    n = columns.shape[1]

    def loss(parameters: Array) -> float:
        scale, bias = parameters
        return float(one_active(scale * columns, np.full(n, bias)) * 3 * n)

    found = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 400})
             for start in ((1.0, 0.0), (1.3, -0.6))]  # fmt: skip
    return float(min(each.fun for each in found))


def reduction_error(cases: list[Case]) -> float:
    """Return how far the loss with one feature present, unit norms and no bias, is from energy / (3 n^2)."""
    differences = []
    for case in cases:
        for positions in (case.ideal.positions[-1], case.charges.positions[-1]):
            energy = float(total_energy(positions, POSITIVE_INTERFERENCE)) / (3 * case.points**2)
            loss = float(one_active(positions, np.zeros(case.points)))
            differences.append(abs(loss - energy) / max(energy, 1e-3))
    return max(differences)
