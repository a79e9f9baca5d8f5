"""Every score against a case whose answer is known without it."""

from itertools import permutations

import numpy as np
import pytest

from experiments.core.autoencoders import metrics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_true_dictionary_in_any_order_scores_one(rng):
    truth = rng.standard_normal((7, 5))
    cosine = metrics.cosines(3 * truth[rng.permutation(7)], truth)
    for score in (metrics.mmcs(cosine), metrics.mcc(cosine), metrics.mcc(cosine, signed=True)):
        assert score == pytest.approx(1)
    assert metrics.uniqueness(cosine) == 1


def test_mcc_is_the_best_over_all_matchings(rng):
    cosine = metrics.cosines(rng.standard_normal((5, 4)), rng.standard_normal((5, 4)))
    best = max(np.abs(cosine[list(order), range(5)]).mean() for order in permutations(range(5)))
    assert metrics.mcc(cosine) == pytest.approx(best)


def test_only_the_signed_mcc_tells_antipodal_features_apart():
    """Two features share an axis; a dictionary that found one of them twice looks perfect to |cos|."""
    truth = np.array([[1.0, 0.0], [-1.0, 0.0]])
    cosine = metrics.cosines([[1.0, 0.0], [1.0, 0.0]], truth)
    assert metrics.mcc(cosine) == 1
    assert metrics.mcc(cosine, signed=True) == 0
    assert metrics.mmcs(cosine) == 0


def test_mmcs_of_random_directions_grows_with_width(rng):
    truth = metrics.random_dictionary(50, 10, rng)
    small, large = (metrics.mmcs(metrics.cosines(metrics.random_dictionary(m, 10, rng), truth)) for m in (10, 1000))
    assert large - small > 0.2


def test_random_directions_have_the_cosines_of_theory(rng):
    """In `hidden` dimensions the squared cosine of random directions has mean 1/hidden."""
    rows = metrics.random_dictionary(400, 16, rng)
    cosine = metrics.cosines(rows[:200], rows[200:])
    assert (cosine**2).mean() == pytest.approx(1 / 16, rel=0.05)
    assert metrics.crowding(rows) == pytest.approx(np.sqrt(2 / np.pi / 16), rel=0.05)


def test_uniqueness_counts_features_once():
    truth = np.eye(3)
    assert metrics.uniqueness(metrics.cosines([truth[0], truth[0], -truth[0], truth[2]], truth)) == 0.5


def test_detection_equals_a_count_by_hand():
    fires = np.array([[1], [1], [1], [0], [0]])
    present = np.array([[1], [1], [0], [1], [0]])
    found = metrics.detection(fires, present)
    assert (found.precision[0], found.recall[0], found.f1[0]) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    silent = metrics.detection(np.zeros((5, 1)), present)
    assert (silent.precision[0], silent.recall[0], silent.f1[0]) == (0, 0, 0)


def test_a_feature_is_covered_only_if_direction_and_firing_are_right():
    assert metrics.covered([0.9, 0.9, 0.7], [0.9, 0.7, 0.9]).tolist() == [True, False, False]


def test_the_mean_explains_nothing_and_the_input_everything(rng):
    x = rng.standard_normal((100, 3)) + 5
    assert metrics.explained_variance(x, np.broadcast_to(x.mean(0), x.shape)) == pytest.approx(0, abs=1e-12)
    assert metrics.explained_variance(x, x) == 1
    half = x.mean(0) + 0.5 * (x - x.mean(0))
    assert metrics.explained_variance(x, half) == pytest.approx(0.75)


def test_counts_and_shrinkage_of_a_small_case():
    f = np.array([[0.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    assert metrics.l0(f) == 1.5
    assert metrics.dead(f) == 1
    x = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]])
    assert metrics.shrinkage(x, np.array([[3.0, 0.0], [9.0, 9.0], [0.0, 2.0]])) == pytest.approx((0.6 + 1) / 2)


def test_the_slope_is_what_activations_were_scaled_by_and_ignores_misses(rng):
    s = rng.random((200, 2)) * (rng.random((200, 2)) < 0.5)
    f = s * [0.5, 1.0]
    f[:20] = 0
    assert metrics.slope(f, s) == pytest.approx([0.5, 1.0])


def test_consistency_of_a_dictionary_with_itself_is_one_and_with_another_is_chance(rng):
    one, other = (metrics.random_dictionary(20, 200, rng) for _ in range(2))
    assert metrics.consistency(one, one[::-1]) == pytest.approx(1)
    assert metrics.consistency(one, other) < 0.2
