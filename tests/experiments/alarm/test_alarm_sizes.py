"""The same features in more dimensions: nothing interferes where each has one of its own."""

import dataclasses

import numpy as np
import pytest

from experiments.alarm import alarm_sizes


@pytest.fixture(scope="module")
def result():
    return alarm_sizes.run(alarm_sizes.experiment.quick, "cpu")


def test_with_as_many_dimensions_as_features_the_plain_alarm_notices_nearly_all(result):
    assert result.true.shape == (2, 2, 3, 3)
    assert result.sizes["48"].direction.value > 0.97
    assert result.sizes["48"].direction.value >= result.sizes["12"].direction.value


def test_gains_are_those_of_the_rates_at_the_smallest_rate_of_false_alarms(result):
    least = int(np.argmin(result.rates))
    for detector, gain in enumerate((result.numbers.direction_gain, result.numbers.probe_gain)):
        known = result.true[-1, detector, least] - result.true[0, detector, least]
        assert gain.value == pytest.approx(known.mean())
        assert gain.n == 3


def test_every_size_needs_its_own_number_of_steps():
    quick = dataclasses.replace(alarm_sizes.experiment.quick, steps=(300,), seeds=1)
    with pytest.raises(ValueError, match="zip"):
        alarm_sizes.run(quick, "cpu")
