"""The experiment's events and losses belong to the seeds they are reported for."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.criteria import Verdict
from experiments.core.quantities import exact
from experiments.dynamics import energy_levels
from experiments.dynamics.energy_levels import Config
from experiments.dynamics.shared.courses import sharpness_of

SMALL = Config(seeds=3, features=24, hidden=4, steps=1200, batch=64, every=20, samples=512, shuffles=50)


@pytest.fixture(scope="module")
def result() -> energy_levels.Result:
    return energy_levels.run(SMALL, "cpu")


def test_every_seed_and_snapshot_has_a_loss(result: energy_levels.Result) -> None:
    assert result.loss.shape == (3, 61)
    assert (result.loss[:, -1] < result.loss[:, 0]).all()


def test_losses_stand_with_their_own_seed() -> None:
    """A seed trained beside fewer others has the same course of losses."""
    trained = energy_levels._trained(SMALL, "cpu")
    alone = energy_levels._trained(Config(**{**vars(SMALL), "seeds": 1}), "cpu")
    both, one = (energy_levels._losses(Config(**{**vars(SMALL), "seeds": n}), t) for n, t in ((3, trained), (1, alone)))
    np.testing.assert_allclose(both[0], one[0], rtol=1e-6)


def test_features_that_grow_as_a_sigmoid_have_sharpness_one() -> None:
    steps = np.arange(0, 2001, 5)
    rates = np.array([0.01, 0.02])
    levels = 0.5 / (1 + (0.5 / 0.1 - 1) * np.exp(-rates * steps[:, None]))
    assert sharpness_of(levels.T, steps) == pytest.approx(1.0, abs=0.02)


def test_shown_levels_are_dimensionalities(result: energy_levels.Result) -> None:
    assert result.levels.shape == (61, 24)
    assert result.levels.min() >= 0
    assert result.levels.max() <= 1 + 1e-6


@pytest.mark.parametrize(
    ("scattered", "shifted", "verdict"),
    [
        (0.001, 0.002, Verdict.SUPPORTED),
        (0.001, 0.2, Verdict.MIXED),
        (0.3, 0.2, Verdict.REFUTED),
    ],
)
def test_coincidence_has_to_beat_both_nulls(scattered: float, shifted: float, verdict: Verdict) -> None:
    numbers = SimpleNamespace(coincide=exact(0.5), scattered_p=exact(scattered), shifted_p=exact(shifted))
    claim = energy_levels.experiment.claims["energy-coincidence"]
    assert claim.criterion.verdict(claim.decide(SimpleNamespace(numbers=numbers))) is verdict
