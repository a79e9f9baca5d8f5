"""The first run at a small size: what its result must satisfy whatever the seeds."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.geometry.configurations import at_degrees, classify, polygon
from experiments.core.quantities import exact, share
from experiments.first_runs.starfish import (
    AT_BEST,
    FAMILIES,
    KINDS,
    Config,
    _behind,
    experiment,
    run,
)


@pytest.fixture(scope="module")
def result():
    return run(Config(seeds=12, p=(0.5, 0.1), converged_steps=5000, search_starts=6), "cpu")


def test_every_run_has_one_arrangement(result):
    np.testing.assert_allclose(result.shares.sum(-1), 1)
    counted = (result.kind[..., None] == np.arange(len(KINDS))).mean(-2)
    np.testing.assert_allclose(counted, result.shares)


def test_no_run_and_no_family_beats_the_best_loss(result):
    best = result.numbers.best_loss.value
    assert result.loss[:, result.readers_case].min() >= best * (1 - 1e-9)
    assert result.family.min() >= best * (1 - 1e-9)


def test_two_directions_lose_three_fifths_of_the_variance(result):
    assert FAMILIES[0].name == "two directions"
    assert result.family[0] == pytest.approx(0.6, rel=1e-9)


def test_an_example_has_the_arrangement_of_its_column(result):
    for case, column in np.argwhere(result.shares[0] > 0):
        assert classify(result.example[case, column][None]).name[0] == KINDS[column]
    assert not result.example[result.shares[0] == 0].any()


def test_the_best_converged_run_reaches_the_optimum(result):
    reached = result.loss[1, result.readers_case].min()
    assert reached == pytest.approx(result.numbers.best_loss.value, rel=2e-3)


def test_the_best_arrangement_changes_where_the_losses_cross(result):
    # Between 0.225 and 0.644 two digons are best; see the figure of the losses of all arrangements.
    assert result.changes.digons_to_pentagon.value == pytest.approx(0.225, abs=1e-3)
    assert result.changes.triangle_to_digons.value == pytest.approx(0.644, abs=1e-3)


def test_a_short_column_behind_a_long_one_is_noticed():
    digons = np.concatenate([polygon(4), at_degrees(5) * 0.3], axis=1)
    beside = np.concatenate([polygon(4), at_degrees(45) * 0.3], axis=1)
    absent = np.concatenate([polygon(4), at_degrees(0) * 0.05], axis=1)
    assert _behind(np.stack([digons, beside, absent])).tolist() == [True, False, False]


def test_the_pentagon_claim_needs_most_runs_and_the_best_loss():
    most, few, close = share([True] * 90 + [False] * 10), share([True] * 10 + [False] * 90), exact(0.0)
    verdict = experiment.claims["first-run-pentagon"].criterion.verdict
    assert verdict(Evidence(pentagon=most, excess=close)) is Verdict.SUPPORTED
    assert verdict(Evidence(pentagon=few, excess=close)) is Verdict.REFUTED
    assert verdict(Evidence(pentagon=most, excess=exact(2 * (AT_BEST - 1)))) is Verdict.REFUTED


def test_the_shares_of_a_recipe_are_those_of_its_runs(result):
    for arm, shares in zip((result.numbers.readers, result.numbers.converged), result.shares, strict=True):
        case = dict(zip(KINDS, shares[result.readers_case], strict=True))
        assert arm.pentagon.value == case["pentagon"]
        assert arm.digon_and_one.value == case["digon + one"]
        assert arm.other.value == case["other"]
