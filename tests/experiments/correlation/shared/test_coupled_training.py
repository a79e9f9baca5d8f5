"""One call trains every cell on its own coupling; losses are those of the cell's own data."""

import numpy as np
import pytest

from experiments.core.coupling import coupled_sets
from experiments.core.losses.evaluation import evaluate
from experiments.core.training.specification import Data, Model, Weights
from experiments.correlation.shared.coupled_training import (
    Plan,
    best_of,
    exact_losses,
    kind_of,
    signed_sets,
    train_coupled,
)
from experiments.correlation.shared.strategies import FOUR_FEATURES, PARTNERS, PRINCIPAL, STRATEGIES, strategy

DENSITY, STRENGTH = np.array([0.4, 0.5, 0.3]), np.array([-1.0, 1.0, -0.5])


@pytest.fixture(scope="module")
def trained():
    return train_coupled(DENSITY, STRENGTH, 2, FOUR_FEATURES, 4, Plan(1000, 64, 2e-2), 0, "cpu")


def test_the_best_models_oppose_partners_that_exclude_each_other_and_merge_those_that_come_together(trained):
    loss = exact_losses(trained, DENSITY, STRENGTH, FOUR_FEATURES)
    best = best_of(trained, loss)
    assert [STRATEGIES[k] for k in strategy(best.W, FOUR_FEATURES)] == [PARTNERS, PRINCIPAL, PARTNERS]
    assert (exact_losses(type(best)(best.W[:, None], best.b[:, None]), DENSITY, STRENGTH, FOUR_FEATURES)[:, 0]
            == loss.min(1)).all()  # fmt: skip


def test_exact_losses_are_those_of_a_large_sample_of_the_same_cell(trained):
    loss = exact_losses(trained, DENSITY, STRENGTH, FOUR_FEATURES)
    for cell, (p, s) in enumerate(zip(DENSITY, STRENGTH, strict=True)):
        data = Data(p, coupling=kind_of(s), groups=FOUR_FEATURES, strength=abs(s))
        weights = Weights(trained.W[cell].astype(np.float32), trained.b[cell].astype(np.float32))
        sampled = evaluate(weights, data, Model(4, 2), samples=1 << 16)
        assert (np.abs(sampled.loss - loss[cell]) < 5 * sampled.standard_error + 1e-7).all()


def test_a_cell_does_not_depend_on_its_neighbours():
    alone = train_coupled(0.5, 1.0, 2, FOUR_FEATURES, 2, Plan(20, 16, 1e-2), 3, "cpu")
    beside = train_coupled(np.array([0.5, 0.1]), 1.0, 2, FOUR_FEATURES, 2, Plan(20, 16, 1e-2), 3, "cpu")
    np.testing.assert_array_equal(alone.W[0], beside.W[0])


def test_sets_follow_the_sign_of_the_strength():
    sets = signed_sets(DENSITY, STRENGTH, 4, FOUR_FEATURES)
    np.testing.assert_array_equal(sets[1], coupled_sets(0.5, 4, FOUR_FEATURES, "correlated", 1.0))
    np.testing.assert_array_equal(sets[2], coupled_sets(0.3, 4, FOUR_FEATURES, "anticorrelated", 0.5))
