"""The part's experiments: verdicts at their thresholds, and numbers against a second way to get them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.adversarial import (
    cancellation,
    column,
    digits,
    disturbances,
    hardening,
    surgery,
    transfer,
    vulnerability,
)
from experiments.core.criteria import Evidence
from experiments.core.geometry.configurations import polygon
from experiments.core.quantities import Quantity


def near(value: float) -> Quantity:
    """Return a quantity with a narrow interval."""
    return Quantity(value, value - 0.01, value + 0.01)


def verdict(module, claim: str, **evidence: Quantity | tuple[Quantity, ...]) -> str:
    """Return what the claim's criterion says of the evidence."""
    return str(module.experiment.claims[claim].criterion.verdict(Evidence(**evidence)))


@pytest.mark.parametrize(
    ("l2", "linf", "expected"),
    [(0.97, 0.98, "supported"), (0.97, 0.9, "mixed"), (0.95, 0.95, "mixed"), (0.9, 0.9, "refuted")],
)
def test_vulnerability_must_track_crowding_in_both_norms(l2, linf, expected):
    assert verdict(vulnerability, "adversarial-tracks", l2=near(l2), linf=near(linf)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.05, "supported"), (-0.05, 0.01, "refuted"), (-0.05, 0.05, "inconclusive")],
)
def test_a_dip_must_differ_from_none(low, high, expected):
    assert verdict(vulnerability, "adversarial-dip", dip=Quantity(0.0, low, high)) == expected


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"), [(0.9, 1.1, "supported"), (0.5, 1.1, "mixed"), (0.5, 1.5, "refuted")]
)
def test_widths_must_agree_within_a_quarter(narrow, wide, expected):
    assert verdict(vulnerability, "adversarial-widths", wide=near(wide), narrow=near(narrow)) == expected


@pytest.mark.parametrize(
    ("ratio", "cost", "expected"),
    [(1.0, 1.0, "supported"), (1.0, 2.0, "mixed"), (3.0, 2.0, "refuted"), (1.0, 1.1, "inconclusive")],
)
def test_an_orthogonal_read_out_must_be_robust_and_cheap(ratio, cost, expected):
    assert verdict(surgery, "adversarial-orthogonal", cost=near(cost), vulnerability=near(ratio)) == expected


@pytest.mark.parametrize(
    ("l2", "linf", "expected"), [(5.0, 6.0, "supported"), (5.0, 2.0, "mixed"), (2.0, 2.0, "refuted")]
)
def test_an_adversary_must_win_in_both_norms(l2, linf, expected):
    assert verdict(disturbances, "cancel-adversary", l2=near(l2), linf=near(linf)) == expected


@pytest.mark.parametrize(
    ("kept", "expected"),
    [((0.3, 0.4), "supported"), ((0.3, 0.7), "mixed"), ((0.7, 0.5), "mixed"), ((0.7, 0.6), "refuted")],
)
def test_cancellation_must_halve_interference_or_not_at_every_density(kept, expected):
    shares = tuple(near(value) for value in kept)
    assert verdict(cancellation, "cancel-why-quiet", quoted=shares[0], shares=shares) == expected


def test_the_link_within_widths_is_the_mean_rank_correlation_and_counts_seeds():
    rng = np.random.default_rng(3)
    overlap, turned = rng.random((4, 8)), np.round(rng.random((4, 8)), 1)
    found = digits.within_widths(digits.experiment.quick, overlap, turned)
    assert found.value == pytest.approx(
        np.mean([spearmanr(*pair).statistic for pair in zip(overlap, turned, strict=True)])
    )
    assert found.n == 8
    repeated = digits.within_widths(digits.experiment.quick, np.repeat(overlap[:1], 9, 0), np.repeat(turned[:1], 9, 0))
    once = digits.within_widths(digits.experiment.quick, overlap[:1], turned[:1])
    assert (repeated.low, repeated.high) == pytest.approx(
        (once.low, once.high)
    )  # more widths of the same seeds add nothing


@pytest.mark.parametrize(("l2_in_m", "expected"), [(-0.5, "supported"), (0.0, "mixed")])
def test_growth_must_have_all_four_exponents(l2_in_m, expected):
    right = {"l1_in_n": near(1.1), "l2_in_n": near(0.55), "l1_in_m": near(-0.6), "l2_in_m": near(l2_in_m)}
    assert verdict(cancellation, "cancel-growth", **right) == expected


def test_a_peak_that_seeds_disagree_on_has_an_interval_that_holds_both_candidates():
    values = np.array([[1.0, 3.0] * 6, [2.0] * 12, [3.0, 1.0] * 6]) + 0.01 * np.arange(12)
    peak, at, other = vulnerability._peak(values, np.array([0.1, 0.2, 0.3]), -values)
    assert peak.low <= 2.1 < peak.high
    assert (at.low, at.high) == (0.1, 0.3)
    assert other.value == pytest.approx(-peak.value)


def test_exponents_are_those_of_power_laws():
    x = (1, 2, 4, 8)
    values = np.array(x, float)[:, None] ** np.array([0.5, 1.0, -2.0])
    assert cancellation._slopes(x, values) == pytest.approx([0.5, 1.0, -2.0])


def test_superposition_ends_where_the_line_crosses():
    share = np.array([0.0, 0.4, 0.8])
    assert hardening._crossing(share, np.array([9.05, 3.05, 0.05])) == pytest.approx(0.4 + 0.4 * 2 / 3)
    assert hardening._crossing(share, np.array([1.0, 0.5, 0.1])) == 0
    assert hardening._crossing(share, np.array([9.0, 8.0, 7.0])) == 0.8


@pytest.mark.parametrize(
    ("ends", "expected"), [((0.75, 0.85), "supported"), ((0.3, 0.85), "mixed"), ((0.3, 1.0), "refuted")]
)
def test_four_fifths_means_between_seven_and_nine_tenths(ends, expected):
    sizes = tuple(near(value) for value in ends)
    assert verdict(hardening, "hardening-eighty", rare=sizes[-1], sizes=sizes) == expected


def test_the_columns_of_a_pentagon_are_two_pairs_of_cosines():
    eps = column._columns(2 * polygon(5))
    columns, lengths = column._sorted_columns([eps])
    assert lengths == (5,)
    assert columns[0] == pytest.approx([1, *[np.cos(0.4 * np.pi)] * 2, *[np.cos(0.8 * np.pi)] * 2])
    crowding, size, total, count, negative = column._summary(eps, 2)
    assert (crowding, count) == (2.5, 4)
    assert size == pytest.approx(1.5**0.5)
    assert negative == pytest.approx(np.cos(0.8 * np.pi) / (np.cos(0.8 * np.pi) - np.cos(0.4 * np.pi)))
    assert total == pytest.approx(np.abs(eps[0]).sum())


def test_models_from_one_start_are_more_alike_and_attacks_transfer_better():
    quick = replace(transfer.experiment.quick, pairs=3, angles=(0.0, 90.0), densities=(0.2, 0.1), steps=400)
    found = transfer.run(quick, "cpu")
    assert (found.similarity[:, 0].mean(-1) > found.similarity[:, 1].mean(-1)).all()
    assert (found.transfer[:, 0].mean(-1) > found.transfer[:, 1].mean(-1)).all()
    assert (found.chance[:, 0] < found.transfer[:, 0]).all()
    assert (found.transfer < 1.05).all()


def test_attacks_on_a_copy_of_a_model_transfer_wholly():
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((8, 80)) / 8**0.5, np.zeros(80)
    turned = np.linalg.qr(rng.standard_normal((8, 8))).Q @ W
    alike, rate, chance, columns = transfer._pair(transfer.experiment.quick, 0.1, (W, b), (turned, b), 0)
    assert (alike, rate, columns) == pytest.approx((1, 1, 1))
    assert chance < 0.5
