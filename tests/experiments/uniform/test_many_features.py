"""Many features at a small size, and verdicts on made-up results."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity
from experiments.uniform import many_features
from experiments.uniform.many_features import Config
from experiments.uniform.shared.tegum import tegum_product
from experiments.uniform.shared.uniform_results import (
    PEAKS,
    _by_seed,
    _census,
    _dimensionalities,
    _peaks,
    all_components,
)
from experiments.uniform.shared.uniform_sweep import grid


@pytest.fixture(scope="module")
def result():
    small = replace(
        many_features.experiment.quick, steps=(400, 400), densities=6, brick_points=4, bricks=("dedicated", "digon")
    )
    return many_features.run(small, "cpu")


def test_every_seed_has_densities_of_its_own_that_together_are_evenly_spaced():
    p, seed_of = grid(Config(seeds=4, densities=3, rarest=20.0))
    np.testing.assert_allclose(np.diff(np.log(p)), -np.log(20) / 12)
    assert np.bincount(seed_of).tolist() == [3, 3, 3, 3]
    assert 0.05 < p.min() < p.max() < 1


def test_sums_of_dimensionalities_do_not_exceed_the_dimensions(result):
    assert (result.saturation <= 1 + 1e-9).all()
    np.testing.assert_allclose(result.tiles.sum(-1), 1)


def test_features_in_superposition_gain_more_than_dedicated_ones_when_rare(result):
    assert result.gain[-1] > 1.3
    assert np.abs(result.gain[result.p > 0.7] - 1).max() < 0.1


def test_gains_agree_with_the_definition_on_a_model_of_dedicated_dimensions():
    from experiments.core.training.specification import Weights
    from experiments.uniform.shared.uniform_sweep import saved_per_dimension

    config = replace(many_features.experiment.quick, features=6, hidden=2)
    p = np.array([0.3])
    W = np.zeros((1, 2, 6), dtype=np.float32)
    W[0, 0, 0] = W[0, 1, 1] = 1
    b = np.where(np.arange(6) < 2, 0, p / 2).astype(np.float32)[None]
    assert saved_per_dimension(config, Weights(W, b), p)[0] == pytest.approx(1, abs=0.05)


def pooled(values: list[float]) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    spread = [np.concatenate([np.array(values), generator.uniform(0.3, 1.0, 40)]) for _ in range(8)]
    return spread


@pytest.mark.parametrize("name", list(PEAKS))
def test_a_peak_is_found_where_it_was_put_and_nowhere_else(name):
    found = _peaks(Config(), pooled([PEAKS[name]] * 60))
    assert found[name.replace("/", "_")].low > 2
    others = [one for key, one in found.items() if key != name.replace("/", "_")]
    assert all(one.low < 2 for one in others)


def test_peaks_of_a_tegum_product_stand_at_the_shares_of_its_bricks():
    product = tegum_product(*[np.array([[1.0, -1.0]])] * 6)
    samples = _by_seed(_dimensionalities(np.stack([product] * 4)), np.arange(4))
    assert _peaks(Config(), samples)["1_2"].value > 10


def test_a_census_counts_kinds_of_components_with_their_mean_dimensionality():
    product = tegum_product(*[np.array([[1.0, -1.0]])] * 3, np.ones((1, 1)))
    found = _census(all_components(product[None], 0.2, 0.3))
    assert found["census_size"].tolist() == [2]
    assert found["census_count"].tolist() == [3]
    assert found["census_mean"] == pytest.approx(0.5)


def quantity(value: float, low: float, high: float) -> Quantity:
    return Quantity(value, low, high, 8)


def verdict_of(claim: str, **measured) -> Verdict:
    return many_features.experiment.claims[claim].criterion.verdict(Evidence(**measured))


def test_the_verdict_on_peaks_needs_all_five_and_none_by_chance():
    high, low = quantity(5, 3, 8), quantity(1, 0.5, 1.5)

    def decide(peaks, chance):
        found = many_features._clusters(dict(enumerate(peaks)), dict(enumerate(chance)))
        return many_features.CLUSTERS.verdict(found)

    assert decide([high] * 5, [low] * 5) == "supported"
    assert decide([high] * 3 + [low] * 2, [low] * 5) == "mixed"
    assert decide([low] * 5, [low] * 5) == "refuted"
    assert decide([high] * 5, [high] * 5) == "mixed"


@pytest.mark.parametrize(
    ("islands", "chance", "verdict"),
    [
        (quantity(0.9, 0.8, 1.0), quantity(0.01, 0.0, 0.02), "supported"),
        (quantity(0.9, 0.8, 1.0), quantity(0.3, 0.2, 0.4), "inconclusive"),
        (quantity(0.3, 0.2, 0.4), quantity(0.01, 0.0, 0.02), "refuted"),
    ],
)
def test_islands_must_be_small_in_trained_models_and_not_by_chance(islands, chance, verdict):
    assert verdict_of("uniform-islands-first", islands=islands, chance=chance) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.05, 0.2, "supported"), (0.3, 0.5, "refuted"), (0.2, 0.5, "inconclusive")]
)
def test_a_flat_plateau_has_a_small_ratio_of_slopes(low, high, verdict):
    assert verdict_of("uniform-plateau-flat", found=quantity((low + high) / 2, low, high)) == verdict


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (quantity(1, 0.9, 1.1), "supported"),
        (quantity(3, 2, 4), "refuted"),
        (quantity(1, 0, 9), "inconclusive"),
    ],
)
def test_bipyramids_are_refuted_by_one_peak(second, verdict):
    flat = quantity(1, 0.9, 1.1)
    assert verdict_of("uniform-bipyramids", largest=second, split=(flat, second)) == verdict


def test_tegum_factors_count_only_when_present_and_close():
    def decide(means: list[float]) -> Verdict:
        made = SimpleNamespace(
            census_size=np.array([2, 3, 5, 4, 8]), census_rank=np.array([1, 2, 2, 3, 3]), census_mean=np.array(means)
        )
        return verdict_of("uniform-tegum", found=many_features.tegum_factors(made))

    assert decide([0.5, 0.667, 0.4, 0.75, 0.375]) == "supported"
    assert decide([0.5, 0.66, 0.35, 0.7, 0.3]) == "mixed"
    assert decide([0.45, 0.667, 0.35, 0.7, 0.3]) == "refuted"
