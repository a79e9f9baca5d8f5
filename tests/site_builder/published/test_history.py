"""What became of published verdicts: nothing is lost, and nothing is written where nothing changed."""

import pytest

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.base.project import Project
from site_builder.discovery.registry import discover
from site_builder.published.history import changes, read_history, record
from site_builder.published.results import HISTORY, PublishedClaim
from site_builder.published.shipping import ship
from site_builder.store.records import ChangedVerdict

YES, NO = PublishedClaim(Verdict.SUPPORTED, Quantity(1.0)), PublishedClaim(Verdict.REFUTED, Quantity(0.0))


def test_only_other_verdicts_are_changes():
    assert changes({"a": YES, "b": YES, "c": NO}, {"a": YES, "b": NO, "d": NO}) == (
        ChangedVerdict("b", Verdict.SUPPORTED, Verdict.REFUTED, 1.0, 0.0),
        ChangedVerdict("c", Verdict.REFUTED, None, 0.0, None),
        ChangedVerdict("d", None, Verdict.REFUTED, None, 0.0),
    )


def test_the_latest_revision_comes_first(tmp_path):
    project = Project(tmp_path)
    record(project, "0.1", {}, {"a": YES}, "2026-01-01")
    record(project, "0.1", {"a": YES}, {"a": YES}, "2026-01-02")
    record(project, "0.2", {"a": YES}, {"a": NO}, "2026-01-03")
    assert [each.version for each in read_history(project)] == ["0.2", "0.1"]
    later, first = read_history(project)
    assert ([each.claim for each in first.added], first.changed) == (["a"], ())
    assert ([each.claim for each in later.changed], later.added) == (["a"], ())


def test_shipping_records_what_changed_and_keeps_it(tiny):
    registry = discover(tiny.project.experiments)
    ship(tiny.project, registry, tiny.gather())
    (first,) = read_history(tiny.project)
    assert [each.claim for each in first.added] == ["sine-mean-is-zero"]
    ship(tiny.project, registry, tiny.gather())
    assert read_history(tiny.project) == (first,)
    tiny.edit("experiments/waves/sine.py", "criterion=less_than(1e-9)", "criterion=less_than(-1.0)")
    (tiny.root / "CITATION.cff").write_text('version: "0.2"\n', "utf-8")
    ship(tiny.project, discover(tiny.project.experiments), tiny.gather())
    assert [(each.before, each.after) for each in read_history(tiny.project)[0].changed] == [
        (Verdict.SUPPORTED, Verdict.REFUTED)
    ]
    assert read_history(tiny.project)[1:] == (first,)


def test_what_changed_within_one_version_is_told_as_one_change(tmp_path):
    project = Project(tmp_path)
    record(project, "0.1", {}, {"a": YES, "b": YES}, "2026-01-01")
    record(project, "0.2", {"a": YES, "b": YES}, {"a": NO, "b": NO}, "2026-01-02")
    record(project, "0.2", {"a": NO, "b": NO}, {"a": NO, "b": YES, "c": YES}, "2026-01-03")
    latest, _ = read_history(project)
    assert latest.date == "2026-01-03"
    assert latest.changes == (
        ChangedVerdict("a", Verdict.SUPPORTED, Verdict.REFUTED, 1.0, 0.0),
        ChangedVerdict("c", None, Verdict.SUPPORTED, None, 1.0),
    )
    record(project, "0.2", {"a": NO, "c": YES}, {"a": YES}, "2026-01-04")
    assert [each.version for each in read_history(project)] == ["0.1"], "nothing is left that 0.2 changed"


def test_a_damaged_history_is_one_sentence(tmp_path):
    project = Project(tmp_path)
    project.published.mkdir(parents=True)
    (project.published / HISTORY).write_text("[")
    with pytest.raises(ReportError, match=r"history.json cannot be read"):
        read_history(project)
