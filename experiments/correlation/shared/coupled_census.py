"""Two or three sets of two in the plane: how their models stand, and the best that are known.

Arrangements are told apart by the cosines of partners alone; see the constants.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import keyed
from experiments.core.losses.optimum import everything, minimise
from experiments.core.metrics import norms, represented
from experiments.core.quantities import Quantity, exact, share
from experiments.correlation.shared.coupled_training import Plan, best_of, exact_losses, signed_sets, train_coupled
from experiments.correlation.shared.strategies import partner_cosines

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

TWO, THREE = ((0, 1), (2, 3)), ((0, 1), (2, 3), (4, 5))

ORTHOGONAL, OPPOSITE, HEXAGON, COLLAPSED = 0.1, -0.95, (0.3, 0.6), 0.98
"""Cosines of partners: |cos| below the first, below the second, between the third, above the last."""

CHANCE = 2 / 15
"""Of the 15 ways to pair off the corners of a hexagon, 2 join neighbours only."""


class Setting(NamedTuple):
    """`pairs` of partners, coupled with a signed strength: 1 together, -1 excluding each other, 0 independent."""

    name: str
    pairs: tuple[tuple[int, int], ...]
    strength: float


SETTINGS = (
    Setting("two sets, together", TWO, 1.0),
    Setting("two sets, excluding", TWO, -1.0),
    Setting("three sets, together", THREE, 1.0),
    Setting("six independent", THREE, 0.0),
)
OUTCOMES = (
    "partners as expected",
    "partners orthogonal instead",
    "six directions, partners elsewhere",
    "partners merged",
    "other",
)


class Census(NamedTuple):
    """One setting's models: the `best` W (p, 2, feature), its cosines of partners (p, pair), and all losses (p, seed).

    `expected`, `orthogonal`, `six`, `beside`, `merged` (p, seed): partners stand as the paper says; two sets have
    partners at right angles; all six features are represented; all partners are neighbours; some partners coincide.
    """

    best: Array
    best_cosine: Array
    loss: Array
    expected: Flags
    orthogonal: Flags
    six: Flags
    beside: Flags
    merged: Flags


def take_census(setting: Setting, densities: Sequence[float], seeds: int, plan: Plan, seed: int, device: str) -> Census:
    """Train `seeds` models of a setting at every density, and say how they stand."""
    models = train_coupled(densities, setting.strength, 2, setting.pairs, seeds, plan, seed, device)
    loss = exact_losses(models, densities, setting.strength, setting.pairs)
    best = best_of(models, loss).W
    cosine, whole = partner_cosines(models.W, setting.pairs), represented(models.W).all(-1)
    upright = np.asarray((np.abs(cosine) < ORTHOGONAL).all(-1) & whole)
    return Census(
        best=best,
        best_cosine=partner_cosines(best, setting.pairs),
        loss=loss,
        expected=stands_as_expected(models.W, setting),
        orthogonal=upright & (len(setting.pairs) == 2),
        six=np.asarray(whole & (len(setting.pairs) == 3)),
        beside=side_by_side(models.W, setting.pairs),
        merged=np.asarray((cosine > COLLAPSED).any(-1)),
    )


def stands_as_expected(W: Array, setting: Setting) -> Flags:
    """Return whether partners stand as the paper says (...): orthogonal, opposite, or side by side in a hexagon."""
    cosine = partner_cosines(W, setting.pairs)
    if setting.strength < 0:
        met = cosine < OPPOSITE
    elif len(setting.pairs) == 2:
        met = np.abs(cosine) < ORTHOGONAL
    else:
        return represented(W).all(-1) & side_by_side(W, setting.pairs) & _spread(cosine)
    return np.asarray(met.all(-1) & represented(W).all(-1))


def _spread(cosine: Array) -> Flags:
    return np.asarray(((cosine > HEXAGON[0]) & (cosine < HEXAGON[1])).all(-1))


def side_by_side(W: Array, pairs: tuple[tuple[int, int], ...]) -> Flags:
    """Return whether the partners of every pair are neighbours in the order of angles (...), `W` (..., 2, feature)."""
    place = np.argsort(np.argsort(np.arctan2(W[..., 1, :], W[..., 0, :]), axis=-1), axis=-1)
    count = W.shape[-1]
    steps = np.stack([(place[..., i] - place[..., j]) % count for i, j in pairs], axis=-1)
    return np.asarray(((steps == 1) | (steps == count - 1)).all(-1))


def outcome_shares(census: Census) -> Array:
    """Return shares of seeds in each of `OUTCOMES`, (p, outcome); the first that fits counts."""
    left = np.ones_like(census.merged)
    shares = []
    for flags in (census.expected, census.orthogonal, census.six & ~census.merged, census.merged):
        shares.append((left & flags).mean(-1))
        left &= ~flags
    return np.stack([*shares, left.mean(-1)], axis=-1)


def display(W: Array) -> Array:
    """Return columns (2, 6), turned the first feature pointing right and its partner up; zeros beyond the last."""
    angle = -np.arctan2(W[1, 0], W[0, 0])
    columns = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ W
    if columns[1, 1] < 0:
        columns[1] *= -1
    padded = np.zeros((2, 6))
    padded[:, : columns.shape[1]] = columns
    return padded


@dataclass(frozen=True)
class AtDensity:
    """Shares of seeds at one density: partners stand as expected; some are merged."""

    expected: Quantity
    merged: Quantity


@dataclass(frozen=True)
class OfSetting:
    """One setting: shares of seeds over all densities, and of densities for the best model of each.

    `beside` is a share of models with six directions: all partners are neighbours. Cosines are those of best models.
    """

    expected: Quantity
    best: Quantity
    best_beside: Quantity
    merged: Quantity
    orthogonal: Quantity
    beside: Quantity
    cosine_low: Quantity
    cosine_high: Quantity
    at: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.densities])


def summary(setting: Setting, census: Census, densities: Sequence[float]) -> OfSetting:
    """Return what pages quote of one setting."""
    return OfSetting(
        expected=share(census.expected, "of seeds"),
        best=_of_densities(stands_as_expected(census.best, setting)),
        best_beside=_of_densities(side_by_side(census.best, setting.pairs)),
        merged=share(census.merged, "of seeds"),
        orthogonal=share(census.orthogonal, "of seeds"),
        beside=_beside(census),
        cosine_low=exact(census.best_cosine.min(), method="least over densities, best of all seeds"),
        cosine_high=exact(census.best_cosine.max(), method="largest over densities, best of all seeds"),
        at={
            f"{p:g}": AtDensity(share(expected, "of seeds"), share(merged))
            for p, expected, merged in zip(densities, census.expected, census.merged, strict=True)
        },
    )


def _of_densities(met: Flags) -> Quantity:
    return Quantity(float(met.mean()), n=met.size, unit="of densities", method="best of all seeds")


def _beside(census: Census) -> Quantity:
    """Return the share of models with six features whose partners are all neighbours."""
    if not census.six.any():
        return Quantity(0.0, 0.0, 1.0, 0, method="no model represents six features, so any share is possible")
    return share(census.beside[census.six], "of models with six directions")


@dataclass(frozen=True)
class OptimumAt:
    """The best known model of three sets at one density, and the share of seeds within 1 % of its loss.

    `cosine` is the mean over pairs of partners, `norm` that over features.
    """

    cosine: Quantity
    norm: Quantity
    reached: Quantity


def best_known(trained: Census, densities: Sequence[float], starts: int, seed: int) -> dict[str, OptimumAt]:
    """Minimise the exact loss of three sets from the best trained model and from random ones, at every density."""
    generator, method = np.random.default_rng(seed), "exact loss, minimised from the best trained and random models"
    found = {}
    for p, best, loss in zip(densities, trained.best, trained.loss, strict=True):
        W = np.concatenate([best.reshape(1, -1), generator.normal(0, 0.7, (starts, 12))])
        b = generator.uniform(-0.2, 0.1, (len(W), 6))
        sets = np.repeat(signed_sets(p, 1.0, 6, THREE), len(W), axis=0)
        least = minimise(everything(2, 6), sets=sets, starts=np.concatenate([W, b], axis=1)).best()
        found[f"{p:g}"] = OptimumAt(
            cosine=exact(float(partner_cosines(least.W, THREE).mean()), method=method),
            norm=exact(float(norms(least.W).mean()), method=method),
            reached=share(loss < 1.01 * float(least.loss), "of seeds"),
        )
    return found
