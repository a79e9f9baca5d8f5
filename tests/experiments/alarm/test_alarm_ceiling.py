"""The exact likelihood ratio is a ratio of densities, and nothing beats it."""

import dataclasses

import numpy as np
import pytest

from experiments.alarm import alarm_ceiling
from experiments.alarm.alarm_ceiling import LEVELS, Config, densities, drawn, log_ratio, states

SMALL = Config(features=3, hidden=2, noise=0.1)


def test_states_have_all_probability_and_the_rates_of_the_features():
    values, weight = states(SMALL)
    assert len(values) == len(LEVELS) ** 2
    assert np.exp(weight).sum() == pytest.approx(1)
    np.testing.assert_allclose(np.exp(weight) @ (values > 0), densities(SMALL)[1:])


def test_the_ratio_is_that_of_the_densities_summed_plainly():
    W = np.array([[1.0, -0.5, 0.3], [0.2, 0.8, -0.9]], np.float32)
    generator = np.random.default_rng(0)
    h = drawn(SMALL, generator, 4, "dangerous") @ W.T + 0.1 * generator.normal(size=(4, 2))
    h = h.astype(np.float32)
    values, weight = states(SMALL)

    def density(one, level):
        away = one - level * W[:, 0] - values @ W[:, 1:].T
        return (np.exp(weight) * np.exp(-(away**2).sum(1) / (2 * SMALL.noise**2))).sum()

    plain = [np.log(np.mean([density(one, level) for level in LEVELS[2:]]) / density(one, 0.0)) for one in h]
    np.testing.assert_allclose(log_ratio(SMALL, W, h), plain, rtol=1e-3)


def test_samples_are_on_the_grid_with_the_target_as_asked():
    generator = np.random.default_rng(0)
    yes, no = drawn(SMALL, generator, 400, "dangerous"), drawn(SMALL, generator, 400, "absent")
    assert set(np.unique(yes[:, 0])) == set(LEVELS[2:])
    assert (no[:, 0] == 0).all()
    assert set(np.unique(no)) <= set(LEVELS)


def test_no_detector_beats_the_likelihood_ratio():
    result = alarm_ceiling.run(dataclasses.replace(alarm_ceiling.experiment.quick, seeds=2), "cpu")
    noise = 4 * np.sqrt(0.25 / 300)  # four standard errors of a rate over 300 positives
    assert (result.true[0] >= result.true[1:] - noise).all()
    assert (result.true[0] > result.true[3] - noise).all()
