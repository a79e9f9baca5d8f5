"""Hypotheses about the number of live features on made-up counts, islands on made-up weights."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.first_runs import density_sweep
from experiments.first_runs.density_sweep import Config

CONFIG = Config(seeds=6, resamples=50)


def counts(rule: str) -> np.ndarray:
    """Live features (size, density, seed) that follow a rule but for one per cent of noise."""
    generator = np.random.default_rng(0)
    p, rows = np.array(CONFIG.densities), []
    for n, d in CONFIG.sizes:
        load = p * n / d
        live = 0.9 * n / (1 + load) if rule == "pn_over_d" else np.minimum(n, d * p**-0.8)
        noise = 0.01 * generator.standard_normal((len(p), CONFIG.seeds))
        rows.append(live[:, None] * (1 + noise))
    return np.array(rows)


@pytest.mark.parametrize(("rule", "verdict"), [("pn_over_d", Verdict.SUPPORTED), ("p", Verdict.REFUTED)])
def test_the_hypothesis_that_made_the_counts_predicts_them_best(rule: str, verdict: Verdict) -> None:
    found = density_sweep._contrast(CONFIG, counts(rule))
    errors = {name: quantity.value for name, quantity in found.items() if name not in ("ratio", "pn_log_over_d")}
    assert min(errors, key=errors.__getitem__) == rule
    result = density_sweep.run(replace(density_sweep.experiment.quick, steps=20), "cpu")
    assert density_sweep.decide_crowding(replace(result, contrast=found)).verdict is verdict


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
    assert density_sweep._adjacent(np.array([True, False, True, True, False])) == 2
    assert density_sweep._adjacent(np.zeros(3, bool)) == 0


def test_every_density_is_trained_once_in_falling_order() -> None:
    groups = density_sweep._by_batch(CONFIG, CONFIG.densities)
    assert [p for _, inside in groups for p in inside] == list(CONFIG.densities)


def test_verdicts_follow_the_shortest_and_longest_run() -> None:
    assert density_sweep._by_runs([3, 4, 3], enough=3) is Verdict.SUPPORTED
    assert density_sweep._by_runs([3, 1, 3], enough=3) is Verdict.MIXED
    assert density_sweep._by_runs([0, 0, 0], enough=3) is Verdict.REFUTED
