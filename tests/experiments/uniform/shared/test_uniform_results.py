"""The plateaus of a made-up staircase are measured, and their intervals hold what was measured."""

import numpy as np

from experiments.uniform.shared.uniform_results import plateaus
from experiments.uniform.shared.uniform_sweep import UniformConfig, grid


def test_the_interval_of_the_flatness_holds_its_estimate():
    """A resample has fewer different models; slopes over as many of them as before span more of the staircase."""
    config = UniformConfig(resamples=200)
    p, seed_of = grid(config)
    noise = 0.002 * np.random.default_rng(0).standard_normal(p.size)
    d_star = np.interp(-np.log10(p), [0, 0.2, 0.4, 0.62, 1.3], [1.0, 1.0, 0.5, 0.48, 0.2]) + noise
    flat = plateaus(config, p, seed_of, d_star, (2.5, 4.2))["flatness"]
    assert flat.low < flat.value < flat.high
    assert 0.09 / 2.5 < flat.value < 1, "the slope of the plateau is 0.09, beyond it 2.5 and 0.41"
