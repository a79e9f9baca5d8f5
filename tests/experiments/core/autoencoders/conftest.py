"""A small world in superposition, and autoencoders of every variant on it."""

import numpy as np
import pytest

from experiments.core.autoencoders import VARIANTS, Autoencoder, Superposed


def unit_columns(hidden, features, seed):
    W = np.random.default_rng(seed).standard_normal((hidden, features))
    return (W / np.linalg.norm(W, axis=0)).astype(np.float32)


@pytest.fixture(scope="session")
def sources():
    """Two worlds of 20 features in 8 dimensions."""
    return [Superposed(unit_columns(8, 20, seed), 0.1) for seed in (0, 1)]


@pytest.fixture(scope="session")
def models():
    """All variants in two widths, with two seeds, and one whose decoder is frozen."""
    every = (Autoencoder(v, w, 3, s, s) for v in VARIANTS for w in (12, 24) for s in (0, 1))
    return (*every, Autoencoder("batchtopk", 24, 2.5, frozen=True))
