"""A bent pentagon at a small size, against what is known of it, and verdicts on made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity, exact
from experiments.geometry import deformation
from experiments.geometry.deformation import _slug, _turning, baselines_of


class Numbers:
    def __init__(self, trained=None, **numbers):
        self.numbers, self.trained_crossing = numbers, trained or {}


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
    assert result.numbers["rare_norm"].value == pytest.approx(1.17046, abs=5e-5)
    assert result.numbers["rare_bias"].value == pytest.approx(-0.28230, abs=5e-5)


def test_digons_lose_a_third_of_the_odd_density_over_five_features(result):
    assert result.numbers["slope_digons"].value == pytest.approx(1 / 15, rel=0.03)


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
    assert _turning(ratio, np.array([False, False, True, True])) == pytest.approx(0.25)
    assert _turning(ratio, np.array([False, True, False, True])) == pytest.approx(0.25)
    assert _turning(ratio, np.ones(4, bool)) == pytest.approx(0.1)


def test_names_of_trained_crossings_hold_their_density():
    assert baselines_of(Numbers({_slug(0.05): exact(0.3), _slug(0.1): exact(0.4)})) == [0.05, 0.1]


@pytest.mark.parametrize(("factor", "verdict"), [(2.5, "supported"), (3.7, "refuted"), (2.0, "refuted")])
def test_the_printed_factor_is_judged_within_a_tenth(factor, verdict):
    assert deformation.decide_factor(Numbers(density_p05_factor=exact(factor))).verdict == verdict


def test_first_order_needs_slopes_and_fits_on_both_sides():
    some, none = Quantity(0.3, 0.2, 0.4, 64), Quantity(0.01, -0.01, 0.03, 64)
    decide = deformation.decide_first_order
    assert decide(Numbers(slope_ratio=exact(2.3), live_below=some, dead_above=some)).verdict is Verdict.SUPPORTED
    assert decide(Numbers(slope_ratio=exact(2.3), live_below=none, dead_above=some)).verdict is Verdict.MIXED
    assert decide(Numbers(slope_ratio=exact(1.1), live_below=some, dead_above=some)).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.98, 1.02, "supported"), (1.3, 1.4, "refuted"), (0.9, 1.1, "inconclusive")]
)
def test_the_norm_relation_must_hold_within_five_per_cent(low, high, verdict):
    found = Quantity((low + high) / 2, low, high, 64)
    assert deformation.decide_norm(Numbers(relation=found)).verdict == verdict


def test_the_trained_crossing_is_compared_with_the_exact_one_of_the_same_density():
    near = Numbers({"p05": exact(0.28), "p1": exact(0.41)}, density_p05=exact(0.27), density_p1=exact(0.42))
    far = Numbers({"p05": exact(0.28), "p1": exact(0.5)}, density_p05=exact(0.27), density_p1=exact(0.42))
    assert deformation.decide_trained(near).verdict is Verdict.SUPPORTED
    assert deformation.decide_trained(far).verdict is Verdict.REFUTED
