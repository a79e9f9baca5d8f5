"""One small world for the tests of detectors and of what they achieve."""

import numpy as np
import pytest

from experiments.alarm.shared.world import WorldConfig

SMALL = WorldConfig(features=20, hidden=8, density=0.05, rare=0.05, importance=(2, 4))


@pytest.fixture(scope="module")
def small_world():
    """A configuration, unit directions W (hidden, feature) drawn at random, and the generator that goes on."""
    generator = np.random.default_rng(0)
    W = generator.normal(size=(SMALL.hidden, SMALL.features)).astype(np.float32)
    return SMALL, W / np.linalg.norm(W, axis=0), generator
