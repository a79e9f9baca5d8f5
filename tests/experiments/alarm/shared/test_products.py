"""Products that look at present features only are full products."""

import numpy as np
import pytest

from experiments.alarm.shared.products import activations


@pytest.mark.parametrize(("features", "hidden"), [(24, 8), (21, 5), (3, 1)])
def test_activations_are_those_of_the_full_product(features, hidden):
    generator = np.random.default_rng(0)
    W = generator.normal(size=(hidden, features)).astype(np.float32)
    x = generator.random((300, features), dtype=np.float32) * (generator.random((300, features)) < 0.2)
    found = activations(W, x)
    assert found.shape == (300, hidden)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, x.astype(np.float64) @ W.T.astype(np.float64), rtol=1e-5, atol=1e-6)


def test_samples_without_features_and_no_samples_give_nothing():
    W = np.ones((4, 6), np.float32)
    np.testing.assert_array_equal(activations(W, np.zeros((2, 6), np.float32)), np.zeros((2, 4)))
    assert activations(W, np.zeros((0, 6), np.float32)).shape == (0, 4)


def test_columns_of_another_order_in_memory_are_read_as_they_are():
    generator = np.random.default_rng(1)
    W, x = generator.random((4, 16), dtype=np.float32), np.asfortranarray(generator.random((9, 16), dtype=np.float32))
    np.testing.assert_allclose(activations(W, x), x @ W.T, rtol=1e-5)
