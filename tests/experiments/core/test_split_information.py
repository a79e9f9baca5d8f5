"""Split information and its null, against the definition and shuffled labels."""

import numpy as np
import pytest

from experiments.core import split_information as information


def test_information_equals_its_definition_written_as_a_loop():
    table = np.array([[4, 0, 3], [1, 7, 2]])
    p = table / table.sum()
    expected = sum(
        p[i, j] * np.log(p[i, j] / (p[i].sum() * p[:, j].sum())) for i in range(2) for j in range(3) if p[i, j]
    )
    assert information.information(table) == pytest.approx(expected)
    assert information.information(np.outer([1, 2], [3, 5])) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(information.information(np.stack([table, 2 * table])), expected)


def test_permuted_tables_have_the_distribution_of_shuffled_labels():
    generator = np.random.default_rng(0)
    z, leaf = generator.integers(0, 3, 300), generator.integers(0, 4, 300)
    cluster = np.zeros(300, dtype=int)
    of = information.tables(z, cluster, leaf, 1, 4)
    fast = information.null_split_information(of, 4000, generator)
    slow = [
        information.split_information(information.tables(z, cluster, generator.permutation(leaf), 1, 4))
        for _ in range(1000)
    ]
    assert fast.mean() == pytest.approx(np.mean(slow), abs=5 * np.std(slow) / 1000**0.5)
    assert np.quantile(fast, 0.95) == pytest.approx(np.quantile(slow, 0.95), rel=0.15)


def test_the_null_is_as_large_as_the_bias_of_the_plug_in_estimate():
    generator = np.random.default_rng(0)
    of = information.tables(generator.integers(0, 4, 5000), np.zeros(5000, int), generator.integers(0, 6, 5000), 1, 6)
    null = information.null_split_information(of, 2000, generator)
    assert null.mean() == pytest.approx((4 - 1) * (6 - 1) / (2 * 5000) / np.log(6), rel=0.05)
