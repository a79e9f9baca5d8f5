"""Closed forms of strategies against the exact loss, the order parameter on known shapes, the rule at its edges."""

import numpy as np
import pytest

from experiments.core.coupling import coupled_sets, partner_given_present
from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.geometry.theory import absent_loss, blocks
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import minimise
from experiments.correlation.shared.strategies import (
    EXACT_ROOM,
    FOUR_FEATURES,
    MORE_ROOM,
    PARTNERS,
    PRINCIPAL,
    STRATEGIES,
    UNRELATED,
    agreement,
    boundary,
    family,
    ideal_loss,
    merged_and_opposed_loss,
    merged_loss,
    opposed_loss,
    partner_cosines,
    principal_loss,
    rule_of_thumb,
    strategy,
)

CASES = [(0.05, 1.0), (0.4, 0.5), (0.3, -0.7), (0.9, 0.2)]


def four(density, strength):
    kind = "correlated" if strength > 0 else "anticorrelated"
    return coupled_sets(density, 4, FOUR_FEATURES, kind, abs(strength)), float(partner_given_present(density, strength))


def loss(W, density, strength, b=0.0):
    sets, _ = four(density, strength)
    return float(expected_loss(W, np.full(4, b), sets=sets).value * 4)


@pytest.mark.parametrize(("p", "s"), CASES[:3])
def test_opposed_and_merged_pairs_have_the_stated_losses(p, s):
    _, c = four(p, s)
    unrelated, partners = np.array([[1, 0, -1, 0], [0, 1, 0, -1.0]]), np.array([[1, -1, 0, 0], [0, 0, 1, -1.0]])
    merged = np.array([[1, 1, 0, 0], [0, 0, 1, 1]]) / np.sqrt(2)
    assert loss(unrelated, p, s) == pytest.approx(2 * float(opposed_loss(p, p)), rel=1e-12)
    assert loss(partners, p, s) == pytest.approx(2 * float(opposed_loss(p, c)), rel=1e-12, abs=1e-15)
    assert loss(merged, p, s) == pytest.approx(2 * float(merged_loss(p, c)), rel=1e-12)


@pytest.mark.parametrize(("p", "s"), CASES[:3])
def test_two_merged_pairs_in_one_dimension_have_the_stated_loss(p, s):
    _, c = four(p, s)
    assert loss(np.array([[1, 1, -1, -1]]) / np.sqrt(2), p, s) == pytest.approx(
        float(merged_and_opposed_loss(p, c)), rel=1e-12
    )


@pytest.mark.parametrize("name", [UNRELATED, PRINCIPAL])
@pytest.mark.parametrize("hidden", [1, 2])
def test_the_ideal_loss_of_two_pairs_is_that_of_the_ideal_weights(name, hidden):
    for p, s in CASES[:2]:
        sets, c = four(p, s)
        made = family(name, hidden)
        W, b = made.weights(made.start)
        b = np.where(np.linalg.norm(W, axis=0) > 0, b, p / 2)
        found = expected_loss(W, b, sets=sets).value * 4
        assert found == pytest.approx(float(ideal_loss(name, p, c, hidden)), rel=1e-12)


@pytest.mark.parametrize(("p", "s"), CASES)
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_principal_components_lose_the_variance_they_leave_out(p, s, hidden):
    sets, c = four(p, s)
    v, r = float(absent_loss(p)), p * (c - p) / 4
    covariance = np.kron(np.eye(2), np.array([[v, r], [r, v]]))
    W = np.linalg.eigh(covariance)[1][:, -hidden:].T
    b = p / 2 * (1 - W.T @ W @ np.ones(4))
    found = expected_loss(W, b, sets=sets, output="linear").value * 4
    assert found == pytest.approx(float(principal_loss(p, c, 2, 2, hidden)), rel=1e-9)


def test_no_scale_or_bias_improves_on_a_merged_pair():
    merged = blocks("merged", 2, np.ones((1, 2)))
    for p, s in CASES:
        q = p * float(partner_given_present(p, s))
        free = minimise(merged, sets=np.array([[1 - 2 * p + q, p - q, p - q, q]]), starts=[[0.9, 0.1]])
        assert free.loss[0] * 2 == pytest.approx(float(merged_loss(p, q / p)), rel=1e-9)


@pytest.mark.parametrize("grace", [EXACT_ROOM, MORE_ROOM])
def test_on_the_boundary_unrelated_features_meet_as_often_as_partners_part_with_the_grace(grace):
    s = np.linspace(0, 1, 7)
    p = boundary(s, grace)
    np.testing.assert_allclose(p, 1 - (1 - grace) * partner_given_present(p, s))


@pytest.mark.parametrize("s", [0.2, 0.7, 1.0])
def test_with_a_dimension_for_each_pair_the_boundary_is_where_ideal_losses_cross(s):
    p = float(boundary(s))
    c = float(partner_given_present(p, s))
    assert float(opposed_loss(p, p)) == pytest.approx(float(merged_loss(p, c)), rel=1e-12)
    assert 2 * float(merged_loss(p, c)) == pytest.approx(float(principal_loss(p, c, 2, 2, 2)), rel=1e-12)


def test_independent_and_perfectly_correlated_pairs_switch_at_known_densities():
    assert float(boundary(0.0)) == pytest.approx(4 / 7)
    assert float(boundary(1.0)) == pytest.approx(1 / 4)


def test_any_groups_with_room_for_half_the_features_cross_at_the_same_place():
    """Principal components leave out n - m differences and opposing needs n - m pairs, whatever the group's size."""
    p = float(boundary(1.0))
    for groups, size, hidden in ((2, 10, 10), (3, 2, 4), (4, 3, 9)):
        pairs = groups * size - hidden
        linear = float(principal_loss(p, 1.0, groups, size, hidden))
        assert linear == pytest.approx(pairs * float(opposed_loss(p, p)), rel=1e-12)


@pytest.mark.parametrize(
    ("W", "value", "name"),
    [
        ([[1, 0, -1, 0], [0, 1, 0, -1]], 0.0, UNRELATED),
        ([[3, 3, 0, 0], [0, 0, 1, 1]], 1.0, PRINCIPAL),
        ([[1, 1, 1, 1], [1, -1, -1, 1], [1, 1, -1, -1]], 1.0, PRINCIPAL),
        ([[1, -1, 0, 0], [0, 0, 1, -1]], -1.0, PARTNERS),
        ([[1, 1, -1, -1]], 1.0, PRINCIPAL),
        ([[1, 0, 0, 0], [0, 0, 1, 0]], 0.0, UNRELATED),
    ],
)
def test_the_agreement_of_known_arrangements(W, value, name):
    assert float(agreement(np.array(W, dtype=float), FOUR_FEATURES)) == pytest.approx(value, abs=1e-12)
    assert STRATEGIES[int(strategy(np.array(W, dtype=float), FOUR_FEATURES))] == name


def test_the_agreement_of_a_hexagon_is_the_cosine_of_its_partners():
    W = polygon(6)
    assert float(agreement(W, ((0, 1), (2, 3), (4, 5)))) == pytest.approx(0.5)
    np.testing.assert_allclose(partner_cosines(W, ((0, 1), (0, 3))), [0.5, -1.0])


def test_agreement_ignores_rotations_and_the_order_of_groups():
    W = np.random.default_rng(0).standard_normal((5, 2, 6))
    groups, turn = ((0, 1), (2, 3), (4, 5)), at_degrees(20, 110)
    np.testing.assert_allclose(agreement(W, groups), agreement(turn @ W, groups[::-1]))


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_every_family_contains_its_ideal_and_is_of_its_strategy(name, hidden):
    made = family(name, hidden)
    W, b = made.weights(made.start)
    assert STRATEGIES[int(strategy(W, FOUR_FEATURES))] == name
    assert not b.any()
    p, s = 0.2, 0.6
    sets, c = four(p, s)
    ideal = expected_loss(W, b, sets=sets).value
    assert minimise(made, sets=sets[None], starts=made.start + 0.01).loss[0] <= ideal + 1e-12
    if name == PRINCIPAL and hidden == 2:
        assert ideal * 4 == pytest.approx(2 * float(merged_loss(p, c)))
    if name != PRINCIPAL and hidden > 1:
        assert ideal * 4 == pytest.approx((4 - hidden) * float(opposed_loss(p, p if name == UNRELATED else c)))


def test_the_rule_of_thumb_changes_at_its_boundary_and_needs_room_for_half():
    s = np.array([0.3, 0.9])
    for hidden, grace in ((2, EXACT_ROOM), (3, MORE_ROOM)):
        edge = boundary(s, grace)
        for factor, name in ((0.99, UNRELATED), (1.01, PRINCIPAL)):
            p = edge * factor
            assert {STRATEGIES[k] for k in rule_of_thumb(p, partner_given_present(p, s), 4, hidden, 2)} == {name}
    assert STRATEGIES[int(rule_of_thumb(0.01, 0.5, 4, 1, 2))] == PRINCIPAL
    assert STRATEGIES[int(rule_of_thumb(0.2, 0.1, 4, 2, 2))] == PARTNERS
