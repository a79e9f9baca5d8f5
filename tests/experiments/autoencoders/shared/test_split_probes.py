"""Sparse probes on latents whose answer is known."""

import numpy as np
import pytest

from experiments.autoencoders.shared.split_probes import logistic_fit, probe_curve, probe_latents

COUNT = 4000


def leaves_of_one_concept(parts, generator):
    """A concept present in 30 % of samples, each time through one of `parts` latents, beside five other latents."""
    present = generator.random(COUNT) < 0.3
    latents = np.zeros((COUNT, parts + 5))
    latents[np.flatnonzero(present), generator.integers(0, parts, present.sum())] = 1
    latents[:, parts:] = generator.random((COUNT, 5)) < 0.2
    return latents, present


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_a_concept_spread_evenly_over_latents_needs_them_all(parts):
    latents, present = leaves_of_one_concept(parts, np.random.default_rng(parts))
    curve = probe_curve(latents, present, 8)
    assert probe_latents(curve) == parts
    assert curve[-1] == pytest.approx(1)
    expected = 2 / (parts + 1)  # one of `parts` latents: recall 1/parts, precision 1
    assert curve[0] == pytest.approx(expected, abs=0.05)


def test_one_latent_means_no_split_and_the_first_small_step_ends_the_count():
    assert probe_latents([0.9]) == 1
    assert probe_latents([0.9, 0.91, 0.99]) == 1
    assert probe_latents([0.5, 0.6, 0.7, 0.71, 0.9]) == 3
    assert probe_latents([0.5, 0.6, 0.7]) == 3


def test_logistic_regression_finds_where_its_gradient_vanishes():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((2000, 3))
    y = generator.random(2000) < 1 / (1 + np.exp(-(x @ [1.0, -2.0, 0.0] + 0.5)))
    weights = logistic_fit(x, y)
    p = 1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1])))
    np.testing.assert_allclose(x.T @ (p - y) / 2000 + 1e-3 * weights[:-1], 0, atol=1e-6)
    assert (p - y).mean() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(weights, [1, -2, 0, 0.5], atol=0.3)


def test_fewer_latents_than_asked_repeat_the_last_score():
    latents, present = leaves_of_one_concept(2, np.random.default_rng(0))
    curve = probe_curve(latents[:, :2], present, 5)
    assert curve.shape == (5,)
    assert len(set(curve[1:])) == 1
