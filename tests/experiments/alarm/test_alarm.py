"""The alarm's experiments, run small, give rates that are rates and numbers that agree with one another."""

import dataclasses

import numpy as np
import pytest

from experiments.alarm import alarm
from experiments.alarm.shared.world import WorldConfig

SMALL = WorldConfig(features=24, hidden=10, importance=(10, 40), steps=150, batch=128)


@pytest.fixture(scope="module")
def found():
    config = dataclasses.replace(
        alarm.experiment.quick,
        seeds=2,
        world=SMALL,
        latents=24,
        autoencoder_steps=100,
        network_steps=30,
        negatives=20_000,
        cause_samples=20_000,
    )
    return config, alarm.run(config, "cpu")


def test_rates_rise_with_the_rate_of_false_alarms(found):
    _, result = found
    assert (np.diff(result.true, axis=1) <= 0).all(), "rates are listed from the highest on"
    assert ((result.true >= 0) & (result.true <= 1)).all()


def test_every_detector_is_summarised_and_differences_agree(found):
    _, result = found
    assert len(result.detectors) == len(result.true)
    n = result.numbers
    assert n.latent_less_probe.value == pytest.approx(n.latent_at_3.value - n.probe_at_3.value)
    assert n.probe_less_direction.value == pytest.approx(n.probe_at_3.value - n.direction_at_3.value)
    assert n.acts.true_direction.value == 0, "the read-out is along the direction that is removed"
    assert n.acts.nothing.value > 0.8
    assert n.harm.nothing.value == 0


def test_the_same_seed_gives_the_same_result(found):
    config, result = found
    np.testing.assert_array_equal(alarm.run(config, "cpu").true, result.true)
