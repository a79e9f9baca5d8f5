import numpy as np
import pytest

from experiments.core.autoencoders import Superposed, sparse_uniform, stream
from experiments.core.autoencoders.cpu_sources import BITS, presence_limits
from experiments.core.autoencoders.sources import activations
from experiments.core.synthetic_data import CLUSTER_WORLDS, ClusterShape, falling_densities, family, unrelated
from experiments.core.synthetic_data.correlated import normal_twin, random_correlation


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


def worlds():
    rows = np.random.default_rng(4).standard_normal((3, 7)).astype(np.float32)
    yield "rare", Superposed(rows, 0.1)
    yield "frequent", Superposed(rows, 0.4)
    yield "uneven", Superposed(rows, np.linspace(0.01, 0.3, 7))
    yield "sometimes sure", Superposed(rows, np.array([0.004, 0.3, 0.02, 0.02, 0.999, 1.0, 0.0]))
    yield "unrelated", unrelated(falling_densities(7), 8, seed=0)
    yield "correlated", unrelated(falling_densities(7), 8, seed=0, correlation=random_correlation(7, 1))
    yield "family", family(0.3, (0.5, 0.2), 4, seed=0)
    yield "normal", normal_twin(Superposed(rows, 0.1), 1000, seed=0)
    yield from ((name, make(ClusterShape(hidden=13), 5)) for name, make in CLUSTER_WORLDS.items())


def test_a_whole_number_is_below_its_limit_where_the_number_of_the_unit_interval_is_below_the_density():
    density = np.concatenate([np.random.default_rng(2).random(50), [1 / 3, 0.5, np.float32(0.002)]])
    for p, limit in zip(density, presence_limits(density).tolist(), strict=True):
        for whole in (limit - 1, limit, limit + 1):
            assert (whole < limit) == (whole * 2.0**-BITS < p)


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in worlds()])
def test_activations_without_features_are_those_of_the_batch(source):
    batch = source.draw(stream(1, 0, 2, 3), 50)
    direct = activations(source, stream(1, 0, 2, 3), 50)
    assert batch.activations.any()
    assert np.array_equal(direct, batch.activations)
    assert not np.array_equal(direct, source.draw(stream(1, 0, 2, 4), 50).activations)


@pytest.mark.parametrize("density", [0.02, 0.5, [0.02] * 30 + [0.3] * 20])
def test_the_features_of_a_model_are_independent_present_with_their_probability_and_then_uniform(density):
    W = np.random.default_rng(5).standard_normal((3, 50)).astype(np.float32)
    x = Superposed(W, density).draw(stream(0, 0, 0), 20_000).features
    present, p = x > 0, np.broadcast_to(density, 50)
    assert np.all(np.abs(present.mean(0) - p) < 5 * np.sqrt(p * (1 - p) / 20_000))
    assert x[present].mean() == pytest.approx(1 / 2, abs=0.01)
    assert x[present].std() == pytest.approx(np.sqrt(1 / 12), abs=0.01)
    assert np.abs(np.corrcoef(present.T) - np.eye(50)).max() < 6 / np.sqrt(20_000)
    repeated = np.corrcoef(present[:-1].sum(1), present[1:].sum(1))[0, 1]
    assert abs(repeated) < 5 / np.sqrt(20_000), "samples are independent of each other"
