"""Rows of the measurement against an earlier state become ratios, and a verdict on what was asked for."""

import json

import pytest

from experiments.core.criteria import Verdict
from experiments.core.errors import ReportError
from experiments.speed import against
from experiments.speed.shared.workloads import WORKLOADS

ROWS = {
    "autoencoders, small": ([4.0, 6.0, 5.0], [1.0, 1.0, 1.0]),
    "drawing a figure": ([6.0], [2.0]),
}


@pytest.fixture
def result_of(tmp_path, monkeypatch):
    def make(rows):
        path = tmp_path / "against.json"
        named = [{"kind": "", "name": name, "old": old, "new": new} for name, (old, new) in rows.items()]
        about = {"commit": "c", "of": "2026-01-01", "machine": "m", "date": "2026-01-02"}
        path.write_text(json.dumps(about | {"figures": {"old": 1, "new": 2}, "rows": named}))
        monkeypatch.setattr(against, "MEASURED", path)
        return against.run(against.Config(), "cpu")

    return make


def verdict_of(result):
    return against.experiment.claims["speed-against-asked"].criterion.verdict(against.ratios_over_asked(result))


def test_a_ratio_is_the_median_over_turns_and_a_single_turn_has_no_interval(result_of):
    ratio = result_of(ROWS).ratio
    assert (ratio["autoencoders, small"].value, ratio["autoencoders, small"].n) == (5.0, 3)
    assert (ratio["drawing a figure"].value, ratio["drawing a figure"].low) == (3.0, None)


@pytest.mark.parametrize(
    ("now", "verdict"), [((1.0, 2.0), Verdict.SUPPORTED), ((1.0, 3.0), Verdict.MIXED), ((2.0, 3.0), Verdict.REFUTED)]
)
def test_the_verdict_counts_the_rows_that_reach_what_was_asked_for(result_of, now, verdict):
    rows = {"autoencoders, small": ([4.0] * 3, [now[0]] * 3), "drawing a figure": ([6.0], [now[1]])}
    assert verdict_of(result_of(rows)) is verdict


def test_every_timed_training_was_asked_to_be_faster():
    assert all(against.required(name) > 1 for name in WORKLOADS)


def test_a_missing_measurement_names_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(against, "MEASURED", tmp_path / "none.json")
    with pytest.raises(ReportError, match="make bench AGAINST=<commit>"):
        against.rows()
