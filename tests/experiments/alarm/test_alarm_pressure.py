"""Under pressure: thresholds hold where nothing shifts, linear alarms are what they are written as, attacks lower."""

import dataclasses

import numpy as np
import pytest

from experiments.alarm import alarm_pressure
from experiments.alarm.shared.detectors import trained_latents
from experiments.alarm.shared.evasion import least_evasion
from experiments.alarm.shared.pressure_results import DETECTORS, SHIFTS, _Watched
from experiments.alarm.shared.world import WorldConfig, behaviour_level, trained_models

SMALL = WorldConfig(features=24, hidden=10, importance=(10, 40), steps=150, batch=128)
CONFIG = dataclasses.replace(
    alarm_pressure.experiment.quick,
    seeds=2,
    world=SMALL,
    latents=24,
    autoencoder_steps=100,
    network_steps=30,
    penalty_steps=20,
)


@pytest.fixture(scope="module")
def watched():
    W = trained_models(SMALL, 1, 0, "cpu").W
    latents = trained_latents(SMALL, W, 24, 100, 256, 1e-2, 0, "cpu")[0]
    return _Watched(CONFIG, W[0], W[0], latents, np.random.default_rng(0), 0)


@pytest.fixture(scope="module")
def result():
    return alarm_pressure.run(CONFIG, "cpu")


def test_pressure_only_lowers_alarms_and_longer_disturbances_lower_them_more(result):
    linear = result.robust[:, [0, 1, 3]]
    assert (np.diff(linear, axis=0) <= 1e-12).all()
    robust = result.numbers.robust
    assert robust.logistic_by_gradient.value >= robust.logistic_kept.value - 1e-9
    assert robust.logistic.value <= robust.logistic_kept.value + 1e-9


def test_a_linear_alarm_rings_where_its_score_is_above_its_threshold(watched):
    x = watched._positives("as trained", 1, 400)
    h = x @ watched.W.T
    scores = watched.bank.scores(h)[watched.places, 1]
    for detector in (0, 1, 3):
        v, c = watched.linear(detector, 1)
        rings = scores[detector] > watched.threshold[detector, 1]
        clear = np.abs(h @ v + c) > 1e-4
        assert rings.sum() > 0
        np.testing.assert_array_equal((h @ v + c > 0)[clear], rings[clear])


def test_without_a_shift_the_rate_of_false_alarms_is_the_one_asked_for(watched):
    _, false = watched.under_shifts()
    expected = CONFIG.rate
    error = np.sqrt(2 * expected / CONFIG.negatives / SMALL.targets)  # thresholds and rates are both samples
    unshifted = false[[SHIFTS.index("as trained"), SHIFTS.index("drifted model")], :2]
    assert (np.abs(unshifted - expected) < 5 * error).all(), "here the drifted model is the same model"
    denser = false[SHIFTS.index("density x5"), : DETECTORS.index("latent")]
    assert (denser > 5 * expected).all()


def test_positives_of_the_unseen_pair_hold_a_neighbour_and_all_others_none(watched):
    near = watched.neighbours[0]
    usual, pair = (watched._positives(shift, 0, 200) for shift in ("as trained", "unseen pair"))
    assert (usual[:, near] == 0).all()
    assert (pair[:, near] > 0).any(1).all()


def test_no_random_disturbance_silences_an_alarm_that_is_said_to_survive(watched):
    generator = np.random.default_rng(1)
    x = watched._positives("as trained", 0, 300).astype(np.float64)
    W, level = watched.W.astype(np.float64), behaviour_level(watched.W, 2)[0]
    x = x[x @ W.T @ W[:, 0] > level]
    size = np.linalg.norm(x, axis=1)
    for detector in (0, 1):
        v, c = watched.linear(detector, 0)
        need = least_evasion(W.T @ v, W.T @ W[:, 0], x @ W.T @ v + c, x @ W.T @ W[:, 0] - level)
        firm = x[need > 0.1 * size]
        assert len(firm) > 10
        for _ in range(200):
            noise = generator.normal(size=firm.shape)
            length = 0.1 * np.linalg.norm(firm, axis=1, keepdims=True)
            h = (firm + noise * length / np.linalg.norm(noise, axis=1, keepdims=True)) @ W.T
            assert ((h @ v + c > 0) | (h @ W[:, 0] <= level)).all()


def test_training_against_the_alarm_is_compared_with_a_control_of_the_same_length(result):
    assert result.numbers.penalised.old_alarm.value <= result.numbers.control.old_alarm.value
    assert 0 <= result.numbers.penalised.new_alarm.value <= 1
