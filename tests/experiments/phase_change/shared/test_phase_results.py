"""Statistics of phase sweeps against cases done by hand, and one small sweep from end to end."""

from dataclasses import fields

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.phases import THREE_FEATURES, TWO_FEATURES
from experiments.core.quantities import Quantity, exact
from experiments.phase_change.shared import phase_results
from experiments.phase_change.shared.phase_results import SweepResult, above, below
from experiments.phase_change.shared.phase_sweep import Models, SweepConfig

TINY = SweepConfig(
    ratios=4, densities=5, models=3, line_densities=6, line_models=3, steps=300, batch=64, starts=2, halvings=4
)


def test_a_verdict_needs_the_whole_interval_on_one_side():
    cases = [(0.8, 0.9, Verdict.SUPPORTED), (0.4, 0.6, Verdict.INCONCLUSIVE), (0.1, 0.3, Verdict.REFUTED)]
    for low, high, verdict in cases:
        assert above(Quantity((low + high) / 2, low, high), 0.5) == verdict
        opposite = {Verdict.SUPPORTED: Verdict.REFUTED, Verdict.REFUTED: Verdict.SUPPORTED}.get(verdict, verdict)
        assert below(Quantity((low + high) / 2, low, high), 0.5) == opposite
    assert above(exact(0.6), 0.5) == Verdict.SUPPORTED


def test_the_largest_change_looks_no_further_than_the_factor():
    density = np.array([1.0, 0.9, 0.5, 0.45])
    assert phase_results.largest_change(density, np.array([0.0, 0.1, 1.0, 0.7]), 1.3) == pytest.approx(0.3)
    assert phase_results.largest_change(density, np.array([0.0, 0.1, 1.0, 0.7]), 2.0) == pytest.approx(1.0)


def test_the_root_mean_square_leaves_undefined_ratios_out_and_brackets_its_value():
    found = phase_results.root_mean_square(np.array([0.3, -0.4, np.nan]), seed=0)
    assert found.value == pytest.approx(np.sqrt(0.125))
    assert found.n == 2
    assert found.low <= found.value <= found.high


def test_a_model_fails_for_the_first_cause_that_fits():
    W = np.array([[[[1.0, 0.0]], [[0.9, 0.4]], [[1.0, 0.0]], [[1.0, -1.0]]]])
    b = np.array([[[0.0, -0.1], [-0.1, 0.2], [0.0, 0.1], [0.0, 0.0]]])
    models = Models(W, b, loss=np.array([[2.0, 2.0, 2.0, 1.0]]), floor=np.ones((1, 4)))
    phases = np.array([[0, 4, 0, 1]])
    found = phase_results._failures(TWO_FEATURES, models, phases, np.array([1]), known=np.array([1.0]))
    assert found["failed"].value == pytest.approx(0.75)
    for cause in ("dead", "same_way", "other_ideal"):
        assert found[f"failed_{cause}"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize("setting", [TWO_FEATURES, THREE_FEATURES])
def test_a_small_sweep_fills_every_field_and_its_shares_add_up(setting):
    result = SweepResult(**phase_results.sweep(setting, TINY, "cpu"))
    np.testing.assert_allclose(result.shares.sum(axis=-1), 1.0)
    assert (result.gain <= 1 + 1e-9).all()
    assert (result.excess >= -1e-6).all()
    assert result.best.shape == result.optimum_without_bias.shape == (4, 5)
    for each in fields(result):
        value = getattr(result, each.name)
        assert isinstance(value, dict) or "undefined" in each.metadata or np.isfinite(value).all(), each.name
