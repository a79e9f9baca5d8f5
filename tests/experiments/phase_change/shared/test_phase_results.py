"""One small sweep from end to end, and the fields of its result."""

from dataclasses import fields, replace

import numpy as np
import pytest

from experiments.phase_change.shared.phase_numbers import Numbers
from experiments.phase_change.shared.phase_results import SweepResult, sweep
from experiments.phase_change.shared.phase_sweep import SweepConfig

TINY = SweepConfig(
    ratios=4, densities=5, models=3, line_densities=6, line_models=3, steps=300, batch=64, starts=2, halvings=4
)


@pytest.mark.parametrize("features", [2, 3])
def test_a_small_sweep_fills_every_field_and_its_shares_add_up(features):
    config = replace(TINY, features=features)
    result = SweepResult(**sweep(config, "cpu"))
    np.testing.assert_allclose(result.shares.sum(axis=-1), 1.0)
    assert (result.gain <= 1 + 1e-9).all()
    assert (result.excess >= -1e-6).all()
    assert result.best.shape == result.optimum_without_bias.shape == (4, 5)
    for each in fields(result):
        value = getattr(result, each.name)
        assert isinstance(value, Numbers) or "undefined" in each.metadata or np.isfinite(value).all(), each.name
    counts = result.numbers.phases
    assert [name.replace("_", " ") for name in counts] == list(config.setting.phases)
    for kind in ("best", "models", "optimum", "optimum_without_bias"):
        assert sum(getattr(count, kind).value for count in counts.values()) == pytest.approx(1)
