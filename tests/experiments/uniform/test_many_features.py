"""Many features at a small size, and verdicts on made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity, exact
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


class Made:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def test_the_verdict_on_peaks_needs_all_five_and_none_by_chance():
    high, low = quantity(5, 3, 8), quantity(1, 0.5, 1.5)
    none = dict.fromkeys(PEAKS, low)
    assert many_features.decide_peaks(Made(peaks=dict.fromkeys(PEAKS, high), null_peaks=none)).verdict == "supported"
    three = {name: high if k < 3 else low for k, name in enumerate(PEAKS)}
    assert many_features.decide_peaks(Made(peaks=three, null_peaks=none)).verdict == "mixed"
    assert many_features.decide_peaks(Made(peaks=none, null_peaks=none)).verdict == "refuted"
    by_chance = Made(peaks=dict.fromkeys(PEAKS, high), null_peaks=dict.fromkeys(PEAKS, high))
    assert many_features.decide_peaks(by_chance).verdict == "mixed"


def test_islands_must_be_small_in_trained_models_and_not_by_chance():
    def decide(found: Quantity, null: Quantity) -> Verdict:
        return many_features.decide_islands(Made(numbers={"onset_wide": found, "onset_null": null})).verdict

    assert decide(quantity(0.9, 0.8, 1.0), quantity(0.01, 0.0, 0.02)) is Verdict.SUPPORTED
    assert decide(quantity(0.9, 0.8, 1.0), quantity(0.3, 0.2, 0.4)) is Verdict.INCONCLUSIVE
    assert decide(quantity(0.3, 0.2, 0.4), quantity(0.01, 0.0, 0.02)) is Verdict.REFUTED


@pytest.mark.parametrize(("factor", "verdict"), [(1.1, "supported"), (1.2, "mixed"), (1.5, "refuted")])
def test_bricks_are_judged_by_the_worse_of_both_ends(factor, verdict):
    assert many_features.decide_bricks(Made(numbers={"switch_factor": exact(factor)})).verdict == verdict


def test_a_flat_plateau_has_a_small_ratio_of_slopes():
    def decide(found: Quantity) -> Verdict:
        return many_features.decide_flat(Made(numbers={"flatness": found})).verdict

    assert decide(quantity(0.1, 0.05, 0.2)) is Verdict.SUPPORTED
    assert decide(quantity(0.4, 0.3, 0.5)) is Verdict.REFUTED
    assert decide(quantity(0.3, 0.2, 0.5)) is Verdict.INCONCLUSIVE


def test_bipyramids_are_refuted_by_one_peak():
    flat, peak = quantity(1, 0.9, 1.1), quantity(3, 2, 4)
    assert many_features.decide_bipyramids(Made(split={"a": flat, "b": flat})).verdict == "supported"
    assert many_features.decide_bipyramids(Made(split={"a": flat, "b": peak})).verdict == "refuted"
    assert many_features.decide_bipyramids(Made(split={"a": flat, "b": quantity(1, 0, 9)})).verdict == "inconclusive"


def test_tegum_factors_count_only_when_present_and_close():
    def made(means: list[float]) -> Made:
        return Made(
            census_size=np.array([2, 3, 5, 4, 8]), census_rank=np.array([1, 2, 2, 3, 3]), census_mean=np.array(means)
        )

    assert many_features.decide_tegum(made([0.5, 0.667, 0.4, 0.75, 0.375])).verdict == "supported"
    assert many_features.decide_tegum(made([0.5, 0.66, 0.35, 0.7, 0.3])).verdict == "mixed"
    assert many_features.decide_tegum(made([0.45, 0.667, 0.35, 0.7, 0.3])).verdict == "refuted"
