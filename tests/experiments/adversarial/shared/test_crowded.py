"""Sets of trained models over density."""

import numpy as np

from experiments.adversarial.shared.crowded import Training, _parts, train_crowded
from experiments.core.metrics import represented_mass

QUICK = Training(steps=200, batch=32, rare_batch=64)


def test_rare_densities_train_on_larger_batches_and_order_is_kept():
    parts = _parts(np.array([1.0, 0.1, 0.02, 0.01, 0.5]), QUICK)
    assert parts == [(0, 2, 32), (2, 4, 64), (4, 5, 32)]


def test_rarer_features_crowd_and_seeds_differ():
    models = train_crowded(20, 4, [0.9, 0.02], 2, QUICK, seed=0, device="cpu")
    dense, rare = (represented_mass(each.W) for each in models)
    assert rare.min() > dense.max()
    assert not np.allclose(models[0].W[0], models[0].W[1])
    assert models[1].b.shape == (2, 20)
