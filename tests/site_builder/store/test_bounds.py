from math import nan

import pytest

from site_builder.store.records import ROUNDING, Bounds

WIDE = Bounds(1.0, 0.5, 1.5)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Bounds(1.6, 1.5, 1.7), True),
        (Bounds(1.6, 1.5 + 1e-6, 1.7), False),
        (Bounds(1.5), True),
        (Bounds(1.5 * (1 + ROUNDING / 2)), False),
        (Bounds(1.0, None, 0.6), True),
        (Bounds(1.0, None, 0.4), False),
        (Bounds(1.0, 1.4), True),
    ],
)
def test_intervals_overlap_where_they_share_a_point(other, expected):
    assert WIDE.overlaps(other) == expected
    assert other.overlaps(WIDE) == expected


@pytest.mark.parametrize("value", [1e-6, 1.0, -40.0, 1e6])
def test_points_overlap_up_to_rounding(value):
    near, far = Bounds(value * (1 + ROUNDING / 2)), Bounds(value * (1 + 2 * ROUNDING))
    for point in (Bounds(value), Bounds(value, value, value)):
        assert point.overlaps(near)
        assert near.overlaps(point)
        assert not point.overlaps(far)


def test_a_sum_that_should_be_zero_overlaps_zero():
    assert Bounds(0.0).overlaps(Bounds(0.1 + 0.2 - 0.3))
    assert not Bounds(0.0).overlaps(Bounds(1e-6))


def test_undefined_values_overlap_one_another_alone():
    assert Bounds(nan).overlaps(Bounds(nan))
    assert not Bounds(nan).overlaps(WIDE)
    assert not WIDE.overlaps(Bounds(nan))


def test_an_interval_holds_its_ends_and_nothing_beyond():
    assert WIDE.holds(0.5)
    assert WIDE.holds(1.5)
    assert not WIDE.holds(1.5 + 1e-9)
