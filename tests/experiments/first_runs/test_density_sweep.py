"""Islands on made-up weights, and what the verdicts about them ask."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import exact
from experiments.first_runs import density_sweep
from experiments.first_runs.density_sweep import Config

CONFIG = Config(seeds=6, resamples=50)


def test_measures_of_antipodal_pairs_are_those_of_islands_of_two() -> None:
    W = np.hstack([np.eye(5), -np.eye(5), np.full((5, 3), 0.01)])
    near_zero, largest = density_sweep._measures(W)
    assert near_zero == pytest.approx(1 - 5 / 45)
    assert largest == pytest.approx(2 / 10)


def test_sorting_only_reorders_the_cosines() -> None:
    W = np.random.default_rng(0).standard_normal((4, 9))
    found = density_sweep._sorted_cosines(W)
    np.testing.assert_allclose(np.linalg.eigvalsh(found), np.linalg.eigvalsh(density_sweep.cosines(W)), atol=1e-12)


def test_the_longest_run_of_adjacent_densities_is_counted() -> None:
    assert density_sweep._adjacent(np.array([True, False, True, True, False])).value == 2
    assert density_sweep._adjacent(np.zeros(3, bool)).value == 0


def test_every_density_is_trained_once_in_falling_order() -> None:
    groups = density_sweep._by_batch(CONFIG, CONFIG.densities)
    assert [p for _, inside in groups for p in inside] == list(CONFIG.densities)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [((3, 4, 3), Verdict.SUPPORTED), ((3, 1, 3), Verdict.MIXED), ((0, 0, 0), Verdict.REFUTED)],
)
def test_the_verdict_on_sparse_cosines_follows_the_shortest_and_longest_run(runs, verdict) -> None:
    found = Evidence(sparsest=exact(0.8), runs=tuple(exact(run) for run in runs))
    assert density_sweep.experiment.claims["islands-sparse"].criterion.verdict(found) is verdict
