"""Spreads over sizes on made-up counts, and a small run."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.criteria import Evidence
from experiments.core.quantities import Quantity
from experiments.uniform import sizes
from experiments.uniform.sizes import Config, _spreads


def test_equal_sizes_have_no_spread_and_a_third_more_is_seen():
    config = Config(densities=(0.5, 0.4, 0.3, 0.2, 0.1))
    mass = np.ones((3, 5, 4))
    assert _spreads(mass, config).largest.value == 0
    mass[2, 4] = 1.3
    found = _spreads(mass, config)
    assert found.largest.value == pytest.approx(0.3 / 1.1)
    assert found.plateau.value == 0


@pytest.mark.parametrize(
    ("spreads", "verdict"),
    [
        ([(0.01, 0.02), (0.02, 0.04)], "supported"),
        ([(0.01, 0.02), (0.1, 0.2)], "mixed"),
        ([(0.06, 0.09), (0.1, 0.2)], "refuted"),
    ],
)
def test_all_densities_must_agree_within_five_per_cent(spreads, verdict):
    found = tuple(Quantity((low + high) / 2, low, high, 3) for low, high in spreads)
    assert sizes.EQUAL.verdict(Evidence(largest=found[-1], spreads=found)) == verdict


def test_a_small_run_counts_about_one_feature_or_more_per_dimension():
    found = sizes.run(replace(sizes.experiment.quick, steps=200), "cpu")
    assert found.per_dimension.shape == (5, 2, 2)
    assert (found.per_dimension > 0.5).all()
