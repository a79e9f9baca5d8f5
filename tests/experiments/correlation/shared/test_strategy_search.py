"""The search finds known optima, and the edge lies where the two families cost the same."""

import numpy as np
import pytest

from experiments.correlation.shared.strategies import FOUR_FEATURES, PRINCIPAL, UNRELATED, agreement
from experiments.correlation.shared.strategy_search import Search, edge, least_of, linear_loss, optimum

SEARCH = Search(starts=4, seed=0)


def test_partners_that_never_meet_are_stored_without_loss():
    loss, W = optimum(np.array([0.1, 0.4]), np.array([-1.0, -1.0]), 2, SEARCH)
    assert loss.max() < 1e-8
    np.testing.assert_allclose(agreement(W, FOUR_FEATURES), -1, atol=1e-3)


def test_dense_correlated_pairs_are_stored_by_linear_principal_components():
    p, s = np.array([0.5]), np.array([1.0])
    loss, W = optimum(p, s, 2, SEARCH)
    assert loss[0] == pytest.approx(float(linear_loss(p, s, 2)[0]), rel=1e-8)
    assert agreement(W, FOUR_FEATURES)[0] == pytest.approx(1)


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_no_family_beats_the_optimum(hidden):
    p, s = np.array([0.05, 0.3, 0.6]), np.array([0.9, 0.4, 0.2])
    best = optimum(p, s, hidden, SEARCH)[0]
    for name in (UNRELATED, PRINCIPAL):
        assert (least_of(name, p, s, hidden) >= best - 1e-9).all()


def test_at_the_edge_both_families_cost_the_same_and_the_agreement_jumps():
    s = np.array([0.4, 0.7])
    found = edge(s, 2, (0.05, 0.9), 12, SEARCH)
    unrelated, principal = (least_of(name, found.density, s, 2) for name in (UNRELATED, PRINCIPAL))
    np.testing.assert_allclose(unrelated, principal, rtol=0.01)
    assert (found.above - found.below > 0.9).all()


def test_there_is_no_edge_where_the_strategy_never_changes():
    assert np.isnan(edge(np.array([1.0]), 2, (0.02, 0.1), 2, SEARCH).density).all()
