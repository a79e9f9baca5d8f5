"""Minima: known optima are found, families stay within themselves, and the result does not depend on company."""

import numpy as np
import pytest

from experiments.core.geometry.theory import pentagon, two_digons
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import everything, minimise, polish, search


def test_a_search_finds_the_pentagon_at_one_in_ten():
    found = search(2, 5, [[0.1]], starts=16, seed=0)[0].best()
    regular = minimise(pentagon(5), 0.1).best()
    assert found.loss == pytest.approx(float(regular.loss), rel=1e-9)


def test_a_minimum_is_flat_and_its_loss_is_that_of_its_weights():
    found = search(2, 4, [[0.2], [0.7]], starts=4, seed=1)[1]
    again = expected_loss(found.W, found.b, 0.7)
    np.testing.assert_array_equal(again.value, found.loss)
    assert np.abs(again.grad_W).max() < 1e-8
    assert found.slope.max() < 1e-8


def test_a_family_is_no_better_than_its_free_polish():
    regular = minimise(two_digons(5), 0.1)
    free = polish(regular.W, regular.b, 0.1)
    assert free.loss[0] <= regular.loss[0] + 1e-15


def test_minimising_never_raises_the_loss():
    generator = np.random.default_rng(2)
    W, b = generator.standard_normal((20, 2, 5)), generator.uniform(-0.5, 0.5, (20, 5))
    assert (polish(W, b, 0.3).loss <= expected_loss(W, b, 0.3).value).all()


def test_an_instance_does_not_depend_on_those_beside_it():
    starts = np.random.default_rng(3).standard_normal((9, 9))
    together = minimise(everything(2, 3), 0.4, starts=starts)
    for k in (0, 8):
        alone = minimise(everything(2, 3), 0.4, starts=starts[k])
        assert alone.loss[0] == together.loss[k]
        np.testing.assert_array_equal(alone.W[0], together.W[k])


def test_densities_and_importances_may_differ_between_instances():
    density, importance = np.array([[0.5], [0.1]]), np.array([[1.0, 1.0], [1.0, 0.1]])
    both = minimise(everything(1, 2), density, importance, starts=[[1.0, -0.5, 0.0, 0.0]])
    for k in range(2):
        one = minimise(everything(1, 2), density[k], importance[k], starts=[[1.0, -0.5, 0.0, 0.0]])
        assert one.loss[0] == both.loss[k]


def test_density_and_sets_exclude_each_other():
    with pytest.raises(ValueError, match="either density or sets"):
        minimise(everything(1, 2))
