"""A bent pentagon at a small size, against what is known of it, and verdicts on made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity, exact
from experiments.geometry import deformation
from experiments.geometry.shared.pentagon_fits import Fits, largest_miss, turning


def verdict_of(claim, **measured):
    return deformation.experiment.claims[claim].criterion.verdict(Evidence(**measured))


@pytest.fixture(scope="module")
def result():
    small = replace(
        deformation.experiment.quick,
        fits=4,
        steps=600,
        curve_baselines=(0.0, 0.1),
        map_baselines=(0.05, 0.3, 2),
        map_ratios=(0.2, 2.0, 3),
        line_points=7,
        resamples=20,
    )
    return deformation.run(small, "cpu")


def test_the_rare_pentagon_is_that_of_the_literature(result):
    assert result.regular.rare.norm.value == pytest.approx(1.17046, abs=5e-5)
    assert result.regular.rare.bias.value == pytest.approx(-0.28230, abs=5e-5)


def test_digons_lose_a_third_of_the_odd_density_over_five_features(result):
    assert result.first_order.slope_digons.value == pytest.approx(1 / 15, rel=0.03)


def test_the_crossing_lies_between_the_end_of_the_pentagon_and_equal_features(result):
    assert (result.spinodal < result.curve).all()
    assert (result.curve < 1).all()


def test_no_trained_model_is_better_than_both_exact_branches(result):
    exact_best = np.nanmin(result.line_loss, axis=0)
    at = np.interp(np.log(result.ratio), np.log(result.line_ratio), exact_best)
    assert (result.loss[0].min(-1) > 0.97 * at).all()


def test_drawn_shapes_have_the_odd_feature_on_top(result):
    pentagons = result.shapes[-3:]
    np.testing.assert_allclose(pentagons[:, 0, 0], 0, atol=1e-9)
    assert (pentagons[:, 1, 0] > 1).all()


def test_the_turning_point_is_between_the_last_dead_and_the_first_live_ratio():
    ratio = np.array([0.1, 0.2, 0.3, 0.4])
    assert turning(ratio, np.array([False, False, True, True])) == pytest.approx(0.25)
    assert turning(ratio, np.array([False, True, False, True])) == pytest.approx(0.25)
    assert turning(ratio, np.ones(4, bool)) == pytest.approx(0.1)


@pytest.mark.parametrize(("factor", "verdict"), [(2.5, "supported"), (3.7, "refuted"), (2.0, "refuted")])
def test_the_printed_factor_is_judged_within_a_tenth(factor, verdict):
    assert verdict_of("deformation-factor", found=exact(factor)) == verdict


def test_first_order_needs_slopes_and_fits_on_both_sides():
    some, none = Quantity(0.3, 0.2, 0.4, 64), Quantity(0.01, -0.01, 0.03, 64)
    for slopes, below, verdict in (
        (2.3, some, Verdict.SUPPORTED), (2.3, none, Verdict.MIXED), (1.1, some, Verdict.REFUTED)
    ):  # fmt: skip
        found = verdict_of("deformation-first-order", slopes=exact(slopes), kept_below=below, lost_above=some)
        assert found is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.98, 1.02, "supported"), (1.3, 1.4, "refuted"), (0.9, 1.1, "inconclusive")]
)
def test_the_norm_relation_must_hold_within_five_per_cent(low, high, verdict):
    assert verdict_of("deformation-norm", found=Quantity((low + high) / 2, low, high, 64)) == verdict


def test_the_miss_is_that_of_the_baseline_where_it_is_largest():
    """Two fits at four ratios; the better one keeps the odd feature from the second, or from the fourth, ratio on."""
    ratio, W = np.array([0.1, 0.2, 0.3, 0.4]), np.zeros((2, 4, 2, 2, 5))
    for baseline, first in enumerate((1, 3)):
        W[baseline, first:, 0, 0, 0] = 1.0
    loss = np.broadcast_to([1.0, 2.0], (2, 4, 2))
    fits = Fits(ratio, W, np.zeros((2, 4, 2, 5)), loss)
    assert largest_miss(fits, (0.14, 0.31), 50, 0).value == pytest.approx(0.04)
    assert largest_miss(fits, (0.15, 0.31), 50, 0).low < 0.04
