"""The CPU kernel's random draws against their distribution; tolerances are 4.5 standard errors."""

import numpy as np
import pytest

from experiments.core.training.cpu import block_of, options_of, parameters_of, shared_by_all
from experiments.core.training.cpu_draws import TILE, lane_states, presence_limits, shuffle
from experiments.core.training.cpu_kernel import fill_tile
from experiments.core.training.problem import resolve
from experiments.core.training.seeds import DATA, FIXED, instance_seeds, stream_key
from experiments.core.training.specification import Data, Model, Recipe

TILES = 600
COUNT = TILES * TILE
NOISE = 4.5 / COUNT**0.5


def kernel_samples(data: Data, features: int = 4, instances: int = 1, seed: int = 0, tiles: int = TILES) -> np.ndarray:
    """Draw (instance, tile, lane, feature) exactly as the dense kernel does."""
    problem = resolve(data, Model(features, 2), Recipe(seed=seed), instances)
    options, shared = options_of(problem), shared_by_all(problem)
    block = block_of(problem, parameters_of(problem), np.zeros((instances, 0, 1), np.float32), np.arange(instances))
    x, draws = np.zeros(features * TILE, np.float32), np.zeros(4 * TILE, np.int32)
    out = np.empty((instances, tiles, features, TILE), np.float32)
    for i in range(instances):
        own = block.state[i], block.limit[i], block.scale[i], block.strength[i]
        for tile in range(tiles):
            fill_tile(options, shared.loose, shared.members, shared.starts, *own, x, draws)
            out[i, tile] = x.reshape(features, TILE)
    return out.transpose(0, 1, 3, 2)


@pytest.mark.parametrize("coupling", ["independent", "correlated", "anticorrelated"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_a_feature_keeps_its_density_and_uniform_values(coupling: str, strength: float) -> None:
    groups = () if coupling == "independent" else ((0, 2), (1, 3))
    data = Data(0.3, coupling=coupling, groups=groups, strength=strength)  # type: ignore[arg-type]
    x = kernel_samples(data).reshape(-1, 4)
    np.testing.assert_allclose((x != 0).mean(0), 0.3, atol=0.46 * NOISE)
    np.testing.assert_allclose(x.mean(0), 0.15, atol=0.28 * NOISE)
    np.testing.assert_allclose(x.var(0), 0.1 - 0.15**2, atol=0.24 * NOISE)


def test_values_are_uniform_at_small_density_too() -> None:
    x = kernel_samples(Data(0.01)).ravel()
    values = x[x != 0]
    shares = np.histogram(values, bins=20, range=(0, 1))[0] / len(values)
    np.testing.assert_allclose(shares, 0.05, atol=4.5 * (0.05 * 0.95 / len(values)) ** 0.5)


def test_signed_values_fill_minus_one_to_one() -> None:
    for coupling, groups in (("independent", ()), ("correlated", ((0, 1),))):
        x = kernel_samples(Data(1.0, signed=True, coupling=coupling, groups=groups))  # type: ignore[arg-type]
        assert x.min() < -0.99
        assert x.max() > 0.99
        np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=0.58 * NOISE)


def test_the_extreme_densities_are_never_and_always() -> None:
    x = kernel_samples(Data(np.array([0.0, 1.0])), features=2, tiles=50)
    assert (x[..., 0] == 0).all()
    assert (x[..., 1] != 0).all()
    assert presence_limits(np.array([0, 0.5, 1], np.float32)).tolist() == [-1, 2**30 - 1, 2**31 - 1]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_features_samples_steps_and_instances_are_independent() -> None:
    x = kernel_samples(Data(0.5), instances=3)
    assert abs(correlation(x[0, ..., 0], x[0, ..., 1])) < NOISE
    assert abs(correlation(x[0, :, :-1], x[0, :, 1:])) < NOISE  # neighbouring samples of a tile
    assert abs(correlation(x[0, :-1], x[0, 1:])) < NOISE  # the same lane, one tile later
    assert abs(correlation(x[0], x[1])) < NOISE
    assert abs(correlation(x[1], x[2])) < NOISE
    assert abs(correlation(x[0, ..., 0] != 0, x[0, ..., 0] * x[1, ..., 0] != 0)) > 0.4  # the statistic does see


def test_the_coupling_is_what_it_says() -> None:
    together = kernel_samples(Data(0.3, coupling="correlated", groups=((0, 2),))).reshape(-1, 4)
    np.testing.assert_array_equal(together[:, 0] != 0, together[:, 2] != 0)
    apart = kernel_samples(Data(0.25, coupling="anticorrelated", groups=((0, 1, 2, 3),))).reshape(-1, 4)
    assert ((apart != 0).sum(1) == 1).mean() > 0.9999  # four quarters: one is on, unless its value is exactly 0


@pytest.mark.parametrize(("coupling", "both"), [("correlated", 0.4 * 0.3 + 0.6 * 0.09), ("anticorrelated", 0.6 * 0.09)])
def test_strength_mixes_coupled_and_independent_samples(coupling: str, both: float) -> None:
    data = Data(0.3, coupling=coupling, groups=((0, 1),), strength=0.4)  # type: ignore[arg-type]
    x = kernel_samples(data).reshape(-1, 4)
    assert ((x[:, 0] != 0) & (x[:, 1] != 0)).mean() == pytest.approx(both, abs=0.4 * NOISE)


def test_no_two_lanes_of_any_instance_or_purpose_start_alike() -> None:
    seeds = instance_seeds(0, None, 2000)
    keys = np.array([stream_key(seed, purpose) for seed in seeds for purpose in (DATA, FIXED)], np.uint64)
    lanes = lane_states(keys).reshape(len(keys), 4, TILE).transpose(0, 2, 1).reshape(-1, 4)
    assert len(np.unique(lanes, axis=0)) == len(keys) * TILE


def test_a_shuffle_is_a_uniform_permutation() -> None:
    counts, state = np.zeros((5, 5)), np.uint64(1)
    order = np.arange(5, dtype=np.int32)
    rounds = 4000
    for _ in range(rounds):
        state = np.uint64(shuffle(order, state))
        assert sorted(order) == list(range(5))
        counts[order, np.arange(5)] += 1
    np.testing.assert_allclose(counts / rounds, 0.2, atol=4.5 * 0.4 / rounds**0.5)
