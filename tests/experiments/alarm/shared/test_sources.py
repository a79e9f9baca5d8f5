"""The faster draws of activations are those of the source they stand for."""

import numpy as np
import pytest

from experiments.alarm.shared.sources import BITS, RareSuperposed, presence_limits
from experiments.core.autoencoders.sources import Superposed


@pytest.mark.parametrize("density", [np.array([0.004, 0.3, 0.02, 0.02, 0.999]), np.full(5, 0.4)])
def test_activations_are_those_of_the_plain_source_byte_for_byte(density):
    W = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    plain, fast = Superposed(W, density), RareSuperposed(W, density)
    known, found = (each.activations(np.random.default_rng(1), 700) for each in (plain, fast))
    assert (known != 0).any(1).mean() > 0.2
    np.testing.assert_array_equal(found, known)
    np.testing.assert_array_equal(found, fast.draw(np.random.default_rng(1), 700).activations)


def test_a_whole_number_is_below_its_limit_where_the_number_of_the_unit_interval_is_below_the_density():
    density = np.concatenate([np.random.default_rng(2).random(50), [1 / 3, 0.5, np.float32(0.002)]])
    for p, limit in zip(density, presence_limits(density, len(density)).tolist(), strict=True):
        for whole in (limit - 1, limit, limit + 1):
            assert (whole < limit) == (whole * 2.0**-BITS < p)
