"""Probabilities of coupled sets against the sampler that defines them, and against their limits."""

import numpy as np
import pytest

from experiments.core.coupling import coupled_sets, partner_given_present
from experiments.core.losses.evaluation import evaluate
from experiments.core.losses.exact import expected_loss, set_probabilities
from experiments.core.training.problem import resolve
from experiments.core.training.sampling import draw
from experiments.core.training.specification import Data, Model, Recipe, Weights

GROUPS = ((0, 1), (3, 2))


def pair(sets, i, j):
    """P(features i and j are both present), summed over all sets."""
    members = np.arange(sets.shape[-1])
    return sets[..., (members >> i & 1 & members >> j) == 1].sum(-1)


@pytest.mark.parametrize("kind", ["correlated", "anticorrelated"])
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_the_probabilities_are_those_of_the_sampler(kind, strength):
    data = Data(0.3, coupling=kind, groups=GROUPS, strength=strength)
    x = draw(resolve(data, Model(5, 2), Recipe(steps=1), 1), 0, 100_000, np.random.default_rng(0))
    drawn = np.bincount((x > 0) @ (1 << np.arange(5)), minlength=32) / len(x)
    stated = coupled_sets(0.3, 5, GROUPS, kind, strength)
    assert np.abs(drawn - stated).max() < 4 * np.sqrt(stated.max() / len(x))


@pytest.mark.parametrize("kind", ["correlated", "anticorrelated"])
def test_the_exact_loss_of_coupled_features_is_that_of_a_large_common_sample(kind):
    generator = np.random.default_rng(1)
    W, b = generator.standard_normal((3, 2, 4)), generator.uniform(-0.3, 0.3, (3, 4))
    data = Data(0.25, coupling=kind, groups=((0, 1), (2, 3)), strength=0.6)
    found = evaluate(Weights(W.astype(np.float32), b.astype(np.float32)), data, Model(4, 2))
    stated = expected_loss(W, b, sets=coupled_sets(0.25, 4, ((0, 1), (2, 3)), kind, 0.6)).value
    assert (np.abs(found.loss - stated) < 4 * found.standard_error).all()


@pytest.mark.parametrize("kind", ["correlated", "anticorrelated"])
def test_every_feature_keeps_its_density_at_any_strength(kind):
    strength = np.linspace(0, 1, 5)
    sets = coupled_sets(0.2, 4, GROUPS, kind, strength)
    np.testing.assert_allclose(sets.sum(-1), 1)
    for i in range(4):
        np.testing.assert_allclose(pair(sets, i, i), 0.2)


def test_no_strength_is_independence_and_partners_meet_as_stated():
    density, strength = np.array([[0.1], [0.4]]), np.array([0.0, 0.5, 1.0])
    together = coupled_sets(density, 4, GROUPS, "correlated", strength)
    apart = coupled_sets(density, 4, GROUPS, "anticorrelated", strength)
    np.testing.assert_allclose(together[:, 0], set_probabilities(density, 4))
    np.testing.assert_allclose(apart[:, 0], set_probabilities(density, 4))
    np.testing.assert_allclose(pair(together, 0, 1) / density, partner_given_present(density, strength))
    np.testing.assert_allclose(pair(apart, 2, 3) / density, partner_given_present(density, -strength))
    np.testing.assert_allclose(pair(together, 0, 2), np.broadcast_to(density**2, (2, 3)))


def test_strength_is_the_correlation_of_being_present():
    p, s = 0.3, 0.4
    both = pair(coupled_sets(p, 2, ((0, 1),), "correlated", s), 0, 1)
    assert (both - p**2) / (p - p**2) == pytest.approx(s)


def test_impossible_couplings_are_refused():
    with pytest.raises(ValueError, match="exclude each other"):
        coupled_sets(0.6, 2, ((0, 1),), "anticorrelated")
    with pytest.raises(ValueError, match="disjoint"):
        coupled_sets(0.1, 4, ((0, 1), (1, 2)))
    with pytest.raises(ValueError, match="strength"):
        coupled_sets(0.1, 2, ((0, 1),), "correlated", 1.5)
