"""One rank correlation, the textbook's."""

import numpy as np
from scipy.stats import spearmanr

from experiments.core.rank_correlation import rank_correlation


def test_it_is_spearmans_with_ties():
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, 5, (2, 3, 40))
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(rank_correlation(one, other), expected)


def test_order_alone_counts_and_a_constant_says_nothing():
    x = np.arange(6.0)
    assert rank_correlation(x, np.exp(x)) == 1
    assert rank_correlation(x, -(x**3)) == -1
    assert rank_correlation(x, np.ones(6)) == 0
