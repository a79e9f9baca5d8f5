"""A small dispute: shapes, one unit for all errors, and a linear network without any nonlinearity."""

import dataclasses

import numpy as np

from experiments.computation import compressed_computation

SMALL = dataclasses.replace(
    compressed_computation.experiment.quick, seeds=2, steps=60, many_steps=60, samples=1 << 11, sigmas=(0.0, 0.02)
)


def test_errors_add_up_and_the_linear_network_computes_nothing():
    result = compressed_computation.run(SMALL, "cpu")
    assert result.label_errors.shape == (2, 3, 2)
    np.testing.assert_allclose(result.label_errors[:, 0] + result.label_errors[:, 1], result.label_errors[:, 2])
    np.testing.assert_array_equal(result.label_errors[0], result.clean_errors[0])
    assert not np.allclose(result.label_errors[1], result.clean_errors[1])
    np.testing.assert_allclose(result.rise[2], -result.fall[2], atol=1e-6)
    assert abs(result.losses.linear.functions.value) < 1e-6
    assert set(result.scales) == {"0", "0.02"}
