"""Terms of the loss: closed forms against exact integrals, sampled ones within their error, sums against the whole."""

import numpy as np
import pytest

from experiments.basic_results.shared.loss_terms import (
    count_probabilities,
    exactly_active,
    linear_loss,
    loss_terms,
    none_active,
    one_active,
    own_error,
    plain_loss,
    ramp_square,
    saxe_loss,
)
from experiments.core.geometry.configurations import polygon
from experiments.core.geometry.spreading import POSITIVE_INTERFERENCE, total_energy
from experiments.core.losses import exact

IMPORTANCE = 0.7 ** np.arange(6)


@pytest.fixture(name="models")
def some_models():
    generator = np.random.default_rng(0)
    return generator.standard_normal((8, 3, 6)) * 0.6, generator.uniform(-0.4, 0.3, (8, 6))


def given_count(W, b, k):
    sets = np.array([bin(members).count("1") == k for members in range(2**6)], dtype=float)
    return exact.expected_loss(W, b, importance=IMPORTANCE, sets=sets / sets.sum()).value


@pytest.mark.parametrize(
    ("slope", "intercept"), [(0.7, 0.2), (0.7, -0.3), (-0.8, 0.5), (-0.5, -0.1), (0.0, 0.4), (1e-9, 0.3)]
)
def test_a_ramp_integrates_to_its_closed_form(slope, intercept):
    u = (np.arange(200_000) + 0.5) / 200_000
    assert ramp_square(slope, intercept) == pytest.approx((np.maximum(slope * u + intercept, 0) ** 2).mean(), abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (1.4, -0.3), (0.2, -0.5), (0.5, 0.1), (0.0, -0.2), (0.0, 0.3)])
def test_the_error_of_an_own_output_integrates_to_its_closed_form(a, b):
    u = (np.arange(200_000) + 0.5) / 200_000
    assert own_error(a, b) == pytest.approx(((u - np.maximum(a * u + b, 0)) ** 2).mean(), abs=1e-9)


def test_none_and_one_present_agree_with_the_exact_loss(models):
    W, b = models
    np.testing.assert_allclose(none_active(b, IMPORTANCE), given_count(W, b, 0), rtol=1e-12)
    np.testing.assert_allclose(one_active(W, b, IMPORTANCE), given_count(W, b, 1), rtol=1e-11)


def test_sampled_terms_lie_within_four_standard_errors_of_the_exact_ones(models):
    W, b = models
    terms = loss_terms(W, b, 0.5, IMPORTANCE, samples=4000, seed=3)
    for k in range(2, 7):
        assert (np.abs(terms.given[:, k] - given_count(W, b, k)) < 4 * terms.error[:, k]).all()


@pytest.mark.parametrize("density", [1.0, 0.3, 0.01])
def test_the_terms_add_up_to_the_exact_loss(models, density):
    W, b = models
    terms = loss_terms(W, b, density, IMPORTANCE, samples=4000, seed=3)
    whole = exact.expected_loss(W, b, density, IMPORTANCE).value
    assert (np.abs(terms.loss - whole) < 4 * terms.standard_error + 1e-12).all()


def test_exact_terms_add_up_to_the_exact_loss_without_error(models):
    W, b = models
    chance = count_probabilities(0.2, 6)
    whole = exact.expected_loss(W, b, 0.2, IMPORTANCE).value
    np.testing.assert_allclose(sum(chance[k] * given_count(W, b, k) for k in range(7)), whole, rtol=1e-12)


def test_counts_are_binomial():
    np.testing.assert_allclose(count_probabilities([0.5, 1.0], 2), [[0.25, 0.5, 0.25], [0, 0, 1]])
    np.testing.assert_allclose(count_probabilities(0.003, 80).sum(), 1, rtol=1e-12)


def test_exactly_so_many_entries_are_present_and_each_as_often():
    x, sets = exactly_active(5, 2, 20_000, np.random.default_rng(0))
    assert sets == 10
    assert ((x > 0).sum(1) == 2).all()
    np.testing.assert_allclose((x > 0).mean(0), 0.4, rtol=1e-12)


def test_sets_are_drawn_where_there_are_too_many_to_list():
    x, sets = exactly_active(12, 6, 1000, np.random.default_rng(0))
    assert sets == 1
    assert ((x > 0).sum(1) == 6).all()
    np.testing.assert_allclose((x > 0).mean(0), 0.5, atol=4 * np.sqrt(0.25 / 1000))


@pytest.mark.parametrize("density", [1.0, 0.4, 0.01])
def test_plain_samples_agree_with_the_exact_loss(models, density):
    W, b = models
    whole = exact.expected_loss(W[:2], b[:2], density, IMPORTANCE).value
    for k in range(2):
        loss, error = plain_loss(W[k], b[k], density, IMPORTANCE, samples=60_000, seed=5)
        assert abs(loss - whole[k]) < 4 * error


def test_standard_errors_are_as_large_as_errors_are(models):
    W, b = models
    whole = exact.expected_loss(W[0], b[0], 0.3, IMPORTANCE).value
    runs = [plain_loss(W[0], b[0], 0.3, IMPORTANCE, samples=500, seed=seed) for seed in range(200)]
    scaled = np.array([(loss - whole) / error for loss, error in runs])
    assert 0.8 < scaled.std() < 1.2
    terms = [loss_terms(W[:1], b[:1], 0.3, IMPORTANCE, samples=40, seed=seed) for seed in range(200)]
    scaled = np.array([((each.loss - whole) / each.standard_error)[0] for each in terms])
    assert 0.8 < scaled.std() < 1.25


def test_a_linear_model_costs_what_the_exact_loss_says(models):
    W, b = models
    for density in (1.0, 0.1):
        whole = exact.expected_loss(W, b, density, IMPORTANCE, output="linear").value
        np.testing.assert_allclose(linear_loss(W, b, density, IMPORTANCE), whole, rtol=1e-10)


def test_with_its_best_bias_a_linear_model_costs_the_formula_times_the_variance(models):
    W, _ = models
    p = 0.3
    best = p / 2 * (1 - (np.swapaxes(W, -1, -2) @ W).sum(-1))
    variance = p / 3 - p**2 / 4
    np.testing.assert_allclose(linear_loss(W, best, p, IMPORTANCE), variance * saxe_loss(W, IMPORTANCE) / 6, rtol=1e-12)


def test_turning_from_a_less_to_a_more_important_feature_lowers_the_linear_loss_all_the_way():
    angle = np.linspace(0, np.pi / 2, 9)
    W = np.stack([np.sin(angle), np.cos(angle)], axis=-1)[:, None, :]
    found = saxe_loss(W, np.array([1.0, 0.7]))
    np.testing.assert_allclose(found, np.cos(angle) ** 2 + 0.7 * np.sin(angle) ** 2, rtol=1e-12)
    assert (np.diff(found) < 0).all()


def test_with_unit_norms_and_no_bias_one_feature_costs_its_positive_interference():
    W = polygon(5)
    energy = total_energy(W, POSITIVE_INTERFERENCE)
    assert one_active(W, np.zeros(5)) == pytest.approx(float(energy) / (3 * 25), rel=1e-12)
