"""Samples of the alarm's world hold what they should, at the rates they should."""

import numpy as np
import pytest

from experiments.alarm.shared.detectors import absent_scores, labelled
from experiments.alarm.shared.world import (
    ACTS,
    DANGER,
    WorldConfig,
    activations_without,
    background,
    behaviour_level,
    dangerous,
    read_out,
    without,
)

WORLD = WorldConfig(features=40, hidden=8, density=0.05, rare=0.01, importance=(1, 2))


def test_features_are_present_at_their_own_rates():
    x = background(WORLD, np.random.default_rng(0), 200_000)
    rate = (x > 0).mean(0)
    error = 5 * np.sqrt(WORLD.densities / len(x))
    assert (np.abs(rate - WORLD.densities) < error).all()
    assert WORLD.active == pytest.approx((x > 0).sum(1).mean(), rel=0.01)
    twice = background(WORLD, np.random.default_rng(0), 200_000, scale=2.0)
    assert (np.abs((twice > 0).mean(0) - 2 * WORLD.densities) < 2 * error).all()


def test_positives_hold_a_dangerous_target_and_negatives_no_trace_of_it():
    generator = np.random.default_rng(1)
    x = background(WORLD, generator, 500)
    yes, no = dangerous(x, 1, generator), without(x, 1)
    assert (yes[:, 1] >= DANGER).all()
    assert (no[:, 1] == 0).all()
    others = np.arange(40) != 1
    np.testing.assert_array_equal(yes[:, others], x[:, others])
    np.testing.assert_array_equal(no[:, others], x[:, others])
    assert WORLD.danger_rate == pytest.approx(0.005)


def test_the_behaviour_acts_on_the_target_alone_from_its_level_on():
    W = np.random.default_rng(2).normal(size=(8, 40)).astype(np.float32)
    alone = np.zeros((2, 40), np.float32)
    alone[:, 1] = ACTS - 0.01, ACTS + 0.01
    acts = read_out(W, alone @ W.T, 2)[1] > behaviour_level(W, 2)[1]
    assert acts.tolist() == [False, True]


def test_samples_that_hold_a_target_are_no_negatives_of_its_alarm():
    x = np.zeros((3, 40), np.float32)
    x[1, 0] = 0.3
    scores = absent_scores(np.ones((2, 2, 3), np.float32), x)
    assert np.isneginf(scores[:, 0, 1]).all()
    assert np.isfinite(scores[:, 1]).all()


def test_labelled_samples_hold_other_targets_as_those_in_use_do():
    plain = WorldConfig(features=40, hidden=40, density=0.05, rare=0.01, importance=(1, 2))
    data = labelled(plain, np.eye(40, dtype=np.float32), 80_000, np.random.default_rng(2))
    for samples, own in ((data.negatives, 0.0), (data.positives, 1.0)):
        rates = (samples[..., : plain.targets] > 0).mean(1)
        np.testing.assert_array_equal(np.diag(rates), own)
        apart = ~np.eye(plain.targets, dtype=bool)
        assert (np.abs(rates[apart] - plain.rare) < 5 * np.sqrt(plain.rare / 40_000)).all()


def test_activations_without_a_target_are_those_of_samples_from_which_it_is_taken():
    generator = np.random.default_rng(5)
    W, x = generator.normal(size=(8, 40)).astype(np.float32), background(WORLD, generator, 3000)
    for target, found in enumerate(activations_without(W, x, 2)):
        assert (x[:, target] > 0).any()
        np.testing.assert_allclose(found, without(x, target) @ W.T, atol=1e-5)
