"""Measures of models with falling importance: constructed models, limits, and seeds that do not depend on company."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.basic_results.shared.importance_sweep import (
    Ladder,
    Models,
    Training,
    absent_bias_error,
    best_seeds,
    identity_error,
    least_linear_loss,
    measure,
    only,
    picture_of,
    relative_loss,
    revived,
    train_ladder,
    train_on,
)

LADDER = Ladder(features=6, hidden=2, decay=0.5)
LINEAR = Ladder(features=6, hidden=2, decay=0.5, output="linear")
QUICK = Training(steps=4000, batches=((0.5, 32), (0.0, 64)))


def models(*columns):
    """Return one model at one density with these columns, the others absent, and biases of 0."""
    W = np.zeros((1, 1, 2, 6))
    W[0, 0, :, : len(columns)] = np.array(columns).T
    return Models(W, np.zeros((1, 1, 6)))


def test_two_dedicated_features_are_the_top_and_share_nothing():
    found = measure(LADDER, models((1, 0), (0, 1)))
    assert (found.live, found.top, found.worst, found.shared) == (2, True, 0, 0)
    assert found.first_shared == 7


def test_two_antipodal_pairs_share_everything_and_are_all_paired():
    found = measure(LADDER, models((1, 0), (0, 1), (-1, 0), (0, -1)))
    assert (found.live, found.top, found.shared, found.paired, found.first_shared) == (4, False, 1, 1, 1)
    assert found.worst == pytest.approx(1)


def test_a_pair_of_less_important_features_has_the_first_of_them_as_its_rank():
    found = measure(LADDER, models((1, 0), (0, 1), (0, -1)))
    assert found.first_shared == 2
    assert found.shared == pytest.approx(2 / 3)


def test_a_triangle_is_shared_but_not_paired():
    corners = [(np.cos(a), np.sin(a)) for a in np.radians([0, 120, 240])]
    found = measure(LADDER, models(*corners))
    assert (found.shared, found.paired) == (1, 0)


def test_biases_count_for_live_features_only():
    found = models((1, 0), (0, 1))
    found.b[0, 0] = [-0.1, -0.01, -1, -1, -1, -1]
    measured = measure(LADDER, found)
    assert (measured.negative, measured.strongly) == (1, 0.5)


def test_the_best_linear_model_has_the_identity_the_mean_and_the_least_loss():
    found = models((1, 0), (0, 1))
    found.b[0, 0, 2:] = 0.2
    assert identity_error(LINEAR, found) == 0
    assert absent_bias_error(found, [0.4]) == 0
    loss = relative_loss(LINEAR, found, [0.4], samples=8, seed=0)
    assert loss[0, 0] == pytest.approx(least_linear_loss(LINEAR), rel=1e-12)


def test_answering_the_mean_costs_one():
    found = models()
    found.b[:] = 0.2
    assert relative_loss(LADDER, found, [0.4], samples=4000, seed=0)[0, 0] == pytest.approx(1, abs=0.02)
    assert relative_loss(LINEAR, found, [0.4], samples=8, seed=0)[0, 0] == pytest.approx(1, rel=1e-12)


def test_the_least_linear_loss_is_the_importance_of_what_is_dropped():
    importance = 0.5 ** np.arange(6)
    assert least_linear_loss(LINEAR) == pytest.approx(importance[2:].sum() / importance.sum())


@pytest.fixture(name="trained", scope="module")
def trained_models():
    return train_ladder(LADDER, [1.0, 0.3, 0.05], QUICK, 4, 0, "cpu")


def test_a_dense_relu_model_keeps_the_top_and_a_sparse_one_more(trained):
    found = measure(LADDER, trained)
    assert (found.live[0] == 2).all()
    assert (found.live[2] >= 3).all()


def test_a_model_does_not_depend_on_the_densities_and_seeds_beside_it(trained):
    alone = train_ladder(LADDER, [0.05], QUICK, 2, 0, "cpu")
    np.testing.assert_array_equal(alone.W[0], trained.W[2, :2])
    np.testing.assert_array_equal(alone.b[0], trained.b[2, :2])


def test_a_trained_linear_model_is_within_a_percent_of_the_closed_form():
    found = train_ladder(LINEAR, [0.5, 0.1], Training(steps=3000, batches=((0.0, 64),)), 3, 0, "cpu")
    loss = relative_loss(LINEAR, found, [0.5, 0.1], samples=8, seed=0)
    assert (loss > least_linear_loss(LINEAR) * (1 - 1e-9)).all()
    assert (loss < least_linear_loss(LINEAR) * 1.01).all()


def test_the_batch_is_that_of_the_first_bound_not_above_the_density():
    assert [QUICK.batch(p) for p in (1.0, 0.5, 0.49, 0.001)] == [32, 32, 64, 64]


def test_the_pictured_model_is_the_one_of_least_loss(trained):
    loss = relative_loss(LADDER, trained, [1.0, 0.3, 0.05], samples=100, seed=0)
    chosen = best_seeds(LADDER, trained, [1.0, 0.3, 0.05], loss, 2000, 0)
    picture = picture_of(trained, chosen)
    W = trained.W[1, chosen[1]]
    many = relative_loss(LADDER, trained, [1.0, 0.3, 0.05], samples=20_000, seed=1)
    np.testing.assert_allclose(many[np.arange(3), chosen], many.min(1), rtol=0.02)
    np.testing.assert_allclose(picture.gram[1], W.T @ W)
    sparse = only(trained, [1.0, 0.3, 0.05], [0.05])
    np.testing.assert_array_equal(sparse.W[0], trained.W[2])


def test_revived_features_are_the_absent_ones_alone():
    start = models((1, 0), (0, 1))
    again = revived(Models(start.W[0], start.b[0] - 0.2), 0.3, np.random.default_rng(0))
    np.testing.assert_array_equal(again.W[0, :, :2], np.eye(2))
    np.testing.assert_allclose(np.linalg.norm(again.W[0, :, 2:], axis=0), 0.3)
    np.testing.assert_allclose(again.b[0], [-0.2, -0.2, 0, 0, 0, 0])


def test_training_on_from_a_good_model_keeps_it():
    good = models((1, 0), (0, 1), (-1, 0), (0, -1))
    later = train_on(LADDER, 0.05, replace(QUICK, learning_rate=1e-3), Models(good.W[0], good.b[0]), 0, "cpu")
    assert measure(LADDER, Models(later.W[None], later.b[None])).live >= 4
