import numpy as np
import pytest

from experiments.core.autoencoders import Superposed, sparse_uniform, stream


@pytest.mark.parametrize("density", [0.02, 0.5, [0.02] * 30 + [0.3] * 20])
def test_values_are_present_with_their_probability_and_then_uniform(density):
    x = sparse_uniform(np.random.default_rng(0), 20_000, 50, density)
    present = x > 0
    p = np.broadcast_to(density, 50)
    assert np.all(np.abs(present.mean(0) - p) < 5 * np.sqrt(p * (1 - p) / 20_000))
    assert x[present].mean() == pytest.approx(1 / 2, abs=0.01)
    assert x[present].std() == pytest.approx(np.sqrt(1 / 12), abs=0.01)


def test_sparse_draws_are_independent_between_neighbours():
    """Gaps are drawn along rows, so a fault would show between features of one sample."""
    present = (sparse_uniform(np.random.default_rng(1), 40_000, 10, 0.1) > 0).astype(float)
    correlation = np.corrcoef(present.T)
    assert np.abs(correlation - np.eye(10)).max() < 5 / np.sqrt(40_000)


def test_activations_are_sums_of_directions():
    source = Superposed(np.random.default_rng(2).standard_normal((3, 7)).astype(np.float32), 0.3)
    batch = source.draw(np.random.default_rng(3), 10)
    assert np.allclose(batch.activations, batch.features @ source.W.T, atol=1e-6)
    assert source.directions.shape == (7, 3)


def test_every_step_of_every_stream_draws_its_own_numbers():
    drawn = {
        float(stream(seed, purpose, number, step).random())
        for seed in (0, 1)
        for purpose in (0, 1)
        for number in (0, 1, 2)
        for step in (0, 1)
    }
    assert len(drawn) == 24
    assert stream(1, 0, 2, 3).random() == stream(1, 0, 2, 3).random()
