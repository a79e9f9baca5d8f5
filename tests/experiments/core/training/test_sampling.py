"""The definition of the data: densities, values, coupling, finite sets and epochs."""

import numpy as np
import pytest

from experiments.core.training.problem import Problem, resolve
from experiments.core.training.sampling import Batches, draw, fixed_data_sets
from experiments.core.training.specification import Data, Model, Recipe

COUNT = 40_000
NOISE = 4.5 / COUNT**0.5
"""Bound on a mean of COUNT independent variables of unit variance: fails once in 150,000."""


def problem(data: Data, features: int = 4, **recipe: int) -> Problem:
    return resolve(data, Model(features, 2), Recipe(**recipe))


def samples(data: Data, features: int = 4) -> np.ndarray:
    return draw(problem(data, features), 0, COUNT, np.random.default_rng(0))


@pytest.mark.parametrize("coupling", ["independent", "correlated", "anticorrelated"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_a_feature_keeps_its_density_and_uniform_values(coupling: str, strength: float) -> None:
    groups = () if coupling == "independent" else ((0, 2), (1, 3))
    x = samples(Data(0.3, coupling=coupling, groups=groups, strength=strength))  # type: ignore[arg-type]
    np.testing.assert_allclose((x != 0).mean(0), 0.3, atol=0.46 * NOISE)
    np.testing.assert_allclose(x.mean(0), 0.15, atol=0.28 * NOISE)
    np.testing.assert_allclose((x**2).mean(0), 0.1, atol=0.24 * NOISE)


def test_the_extreme_densities_are_never_and_always() -> None:
    x = samples(Data(np.array([0.0, 1.0, 0.5, 1.0])))
    assert (x[:, 0] == 0).all()
    assert (x[:, 1] != 0).mean() > 0.999


def test_signed_values_fill_minus_one_to_one() -> None:
    x = samples(Data(1.0, signed=True))
    assert x.min() < -0.99
    assert x.max() > 0.99
    np.testing.assert_allclose(x.mean(0), 0, atol=0.58 * NOISE)


def test_a_correlated_group_is_on_as_one_with_independent_values() -> None:
    x = samples(Data(0.3, coupling="correlated", groups=((0, 2),)))
    np.testing.assert_array_equal(x[:, 0] != 0, x[:, 2] != 0)
    on = x[x[:, 0] != 0]
    assert abs(np.corrcoef(on[:, 0], on[:, 2])[0, 1]) < 4.5 / len(on) ** 0.5


def test_of_an_anticorrelated_group_at_most_one_is_on() -> None:
    x = samples(Data(0.25, coupling="anticorrelated", groups=((0, 1, 2, 3),)))
    assert ((x != 0).sum(1) <= 1).all()
    assert (x != 0).any(1).mean() > 0.999  # four quarters: one is always on


@pytest.mark.parametrize(("coupling", "both"), [("correlated", 0.4 * 0.3 + 0.6 * 0.09), ("anticorrelated", 0.6 * 0.09)])
def test_strength_mixes_coupled_and_independent_samples(coupling: str, both: float) -> None:
    x = samples(Data(0.3, coupling=coupling, groups=((0, 1),), strength=0.4))  # type: ignore[arg-type]
    assert ((x[:, 0] != 0) & (x[:, 1] != 0)).mean() == pytest.approx(both, abs=0.4 * NOISE)


def test_an_epoch_visits_every_sample_once_in_a_new_order() -> None:
    data = np.arange(7, dtype=np.float32)[:, None] + 1
    batches = Batches(problem(Data(0.5, samples=data), 1, batch=3))
    drawn = [batches.next()[0, :, 0] for _ in range(6)]
    assert [len(batch) for batch in drawn] == [3, 3, 1, 3, 3, 1]
    first, second = np.concatenate(drawn[:3]), np.concatenate(drawn[3:])
    assert sorted(first) == sorted(second) == sorted(data[:, 0])
    assert list(first) != list(second)


def test_without_shuffling_an_epoch_keeps_the_stored_order() -> None:
    data = np.arange(5, dtype=np.float32)[:, None]
    batches = Batches(problem(Data(0.5, samples=data, shuffle=False), 1, batch=5))
    np.testing.assert_array_equal(batches.next()[0], data)


def test_every_instance_has_a_fixed_data_set_of_its_own() -> None:
    fixed = resolve(Data(0.5, fixed_samples=100), Model(4, 2), Recipe(), 3)
    sets = fixed_data_sets(fixed, np.arange(3))
    assert sets.shape == (3, 100, 4)
    assert not np.array_equal(sets[0], sets[1])
    np.testing.assert_array_equal(fixed_data_sets(fixed, np.array([2]))[0], sets[2])
