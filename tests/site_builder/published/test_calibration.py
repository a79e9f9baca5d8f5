"""Honest intervals come out as expected, and what cannot be tried is left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.core.quantities import Quantity, bootstrap, exact, mean, median
from site_builder.published.calibration import GIVEN, calibrated, expected_outside, interval, units
from site_builder.store.records import Bounds, PartCalibration, bounds

PUBLISHED = Path(__file__).parents[3] / "experiments" / "published"

DRAWN = {
    "",
    "seeds",
    "seeds of both sizes",
    "models of each cell",
    "models of each density",
    "first models",
    "fits",
    "random codes",
}
"""Units of bootstrap intervals that another seed draws anew."""


def test_pairs_of_intervals_are_counted_by_hand():
    old = {
        "apart": Quantity(1.0, 0.5, 1.5),
        "outside": Quantity(1.0, 0.9, 1.1),
        "inside": Quantity(1.0, 0.0, 2.0),
        "touching": Quantity(1.0, 0.0, 2.0),
        "exact": exact(1.0),
        "gone": Quantity(1.0, 0.0, 2.0),
        "constant": Quantity(1.0, 0.0, 2.0),
        "given": Quantity(1.0, 0.0, 2.0, method=f"percentile bootstrap over {GIVEN[0]}, 2000 resamples"),
    }
    new = {
        "apart": Bounds(2.0, 1.6, 2.4),
        "outside": Bounds(1.3, 1.0, 1.6),
        "inside": Bounds(1.9, 1.0, 3.0),
        "touching": Bounds(3.0, 2.0, 4.0),
        "exact": Bounds(2.0),
        "constant": Bounds(1.0, 0.5, 2.5),
        "given": Bounds(3.0, 2.5, 4.0),
    }
    # Back from the new run: 1.0 lies outside [1.6, 2.4] and [2.0, 4.0], and inside the other two.
    expected = PartCalibration("a", 8, 2, 5, pytest.approx(8 * 0.1658, abs=2e-3), 2, 2, (((8, 5), (8, 5)),))
    assert calibrated("a", old, [new]) == expected


def test_a_number_that_moves_once_counts_every_time():
    old = {"x": Quantity(1.0, 0.5, 1.5)}
    others = [{"x": Bounds(1.0, 0.5, 1.5)}, {"x": Bounds(2.0, 1.5, 2.5)}]
    found = calibrated("a", old, others)
    assert (found.intervals, found.disjoint, found.outside, found.constant) == (6, 0, 4, 0)
    assert found.by_run == (((4, 2), (4, 2), (4, 4)),)


def drawn(kind: str, generator: np.random.Generator) -> Quantity:
    """Return a number of a normal sample, of the seeds that intervals of the report are often made from."""
    if kind == "mean of 1000":
        return mean(generator.standard_normal(1000))
    if kind == "mean of 12":
        return mean(generator.standard_normal(12))
    if kind == "median of 16":
        return median(generator.standard_normal(16))
    sample = generator.standard_normal(16)
    return bootstrap(lambda chosen: float(sample[chosen].mean()), 16, resamples=400)


@pytest.mark.parametrize(
    ("kind", "pairs", "tolerance"),
    [("mean of 1000", 6000, 0.02), ("mean of 12", 6000, 0.02), ("median of 16", 3000, 0.03), ("bootstrap", 800, 0.045)],
)
def test_honest_intervals_are_left_as_often_as_expected(kind, pairs, tolerance):
    generator = np.random.default_rng(3)
    old = {str(i): drawn(kind, generator) for i in range(pairs)}
    new = {name: bounds(drawn(kind, generator)) for name in old}
    found = calibrated("a", old, [new])
    assert found.intervals == 2 * pairs
    assert found.share == pytest.approx(found.expected_share, abs=tolerance)


def experiment(generator: np.random.Generator, runs: int, together: float) -> PartCalibration:
    """Return an experiment of twenty honest numbers, which move together within a run."""

    def run() -> dict[str, Quantity]:
        common = generator.standard_normal(12)
        own = generator.standard_normal((20, 12))
        return {str(i): mean(together * common + np.sqrt(1 - together**2) * row) for i, row in enumerate(own)}

    others = [{name: bounds(found) for name, found in run().items()} for _ in range(runs - 1)]
    return calibrated("a", run(), others)


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_the_interval_of_the_share_holds_the_expected_one_though_numbers_move_together(together):
    generator = np.random.default_rng(5)
    held = []
    for _ in range(60):
        part = sum((experiment(generator, runs, together) for runs in (3, 3, 6, 6)), PartCalibration("a"))
        low, high = interval(part)
        held.append(low <= part.expected_share <= high)
    assert np.mean(held) > 0.85


def test_a_share_of_two_runs_alone_has_no_interval():
    assert interval(experiment(np.random.default_rng(0), 2, 0.0)) is None
    assert interval(PartCalibration("a")) is None


def test_the_normal_case_is_what_the_page_says():
    assert expected_outside(Quantity(0.0, -1.0, 1.0, 10, "", "Wilson score interval, 95 %")) == pytest.approx(
        0.166, abs=5e-4
    )
    assert expected_outside(mean([0.0, 1.0])) < expected_outside(mean(np.arange(100.0))) < 0.166


def test_every_unit_of_a_published_interval_is_drawn_or_given():
    found = set()
    for path in PUBLISHED.glob("*.*.json"):
        for each in json.loads(path.read_text("utf-8"))["numbers"].values():
            found.add(units(Quantity(each["value"], method=each["method"])))
    assert found <= DRAWN | set(GIVEN)
    assert found & set(GIVEN)
