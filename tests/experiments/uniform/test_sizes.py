"""Spreads over sizes on made-up counts, and a small run."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.quantities import Quantity
from experiments.uniform import sizes
from experiments.uniform.sizes import Config, _spreads


class Made:
    def __init__(self, spreads: list[tuple[float, float]]):
        self.density = np.ones(len(spreads))
        found = [Quantity((low + high) / 2, low, high, 3) for low, high in spreads]
        self.numbers = {f"features_{k}": one for k, one in enumerate(found)}
        self.numbers["features_largest"] = max(found, key=lambda one: one.value)


def test_equal_sizes_have_no_spread_and_a_third_more_is_seen():
    mass = np.ones((3, 5, 4))
    assert _spreads("features", mass, Config())["features_largest"].value == 0
    mass[2, 4] = 1.3
    found = _spreads("features", mass, Config())
    assert found["features_largest"].value == pytest.approx(0.3 / 1.1)
    assert found["features_plateau"].value == 0


@pytest.mark.parametrize(
    ("spreads", "verdict"),
    [
        ([(0.01, 0.02), (0.02, 0.04)], "supported"),
        ([(0.01, 0.02), (0.1, 0.2)], "mixed"),
        ([(0.06, 0.09), (0.1, 0.2)], "refuted"),
    ],
)
def test_all_densities_must_agree_within_five_per_cent(spreads, verdict):
    assert sizes.decide_features(Made(spreads)).verdict == verdict


def test_a_small_run_counts_about_one_feature_or_more_per_dimension():
    found = sizes.run(replace(sizes.experiment.quick, steps=200), "cpu")
    assert found.per_dimension.shape == (5, 2, 2)
    assert (found.per_dimension > 0.5).all()
