"""Published results: packed, found, drawn without running anything, and never taken for this machine's own."""

import json
import shutil

import pytest

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from site_builder.build import with_published
from site_builder.discovery.registry import discover
from site_builder.published.reproduction import compared, differences, paragraph
from site_builder.published.results import FORMAT, load
from site_builder.published.shipping import ship

SINE = "experiments/waves/sine.py"
COSINE = "experiments/waves/cosine.py"


@pytest.fixture
def shipped(tiny, monkeypatch):
    """The tiny report with its results published, and nothing built."""
    monkeypatch.delenv("NATIVE", raising=False)
    ship_now(tiny)
    shutil.rmtree(tiny.project.build)
    return tiny


def ship_now(tiny, **options) -> str:
    report = tiny.gather()
    return ship(tiny.project, discover(tiny.project.experiments), report, **options)


def site(tiny):
    return tiny.gather(compute=False, shipped=True)


def files(tiny) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tiny.project.published.iterdir()}


def test_a_site_from_published_results_runs_nothing_and_shows_the_same(shipped):
    report = site(shipped)
    assert shipped.heard.runs == []
    assert sorted(shipped.drawn) == ["cosine-start", "sine-wave"]
    assert report.problems == ()
    assert (report.absent, report.stale) == ({}, {})
    own = shipped.gather()
    assert shipped.heard.runs == ["waves.cosine", "waves.sine"]
    assert own.claims == report.claims
    assert own.quantities == report.quantities
    assert {id: figure.digest for id, figure in own.figures.items()} == {
        id: figure.digest for id, figure in report.figures.items()
    }


def test_a_report_does_not_take_published_results_for_its_own(shipped):
    site(shipped)
    shipped.gather()
    assert shipped.heard.runs == ["waves.cosine", "waves.sine"]


def test_shipping_again_changes_no_byte_and_a_changed_result_only_its_own_files(shipped):
    before = files(shipped)
    ship_now(shipped)
    assert files(shipped) == before
    shipped.edit(SINE, "samples: int = 64", "samples: int = 32")
    ship_now(shipped)
    after = files(shipped)
    assert {name for name in after if after[name] != before.get(name)} == {
        "waves.sine.json", "waves.sine.zip", "index.json",
    }  # fmt: skip


def test_changed_code_makes_a_published_result_stale_and_the_figure_says_which(shipped):
    shipped.edit(SINE, "    wave = signals", "    config = config\n    wave = signals")
    report = site(shipped)
    assert "experiments.waves.sine.run" in report.stale["sine-wave"]
    assert report.stale.keys() == {"sine", "sine-wave", "sine-mean-is-zero"}
    assert "sine-wave" in report.figures
    assert report.problems == ()


def test_changed_words_make_nothing_stale(shipped):
    shipped.edit(SINE, "swings evenly", "moves evenly")
    assert site(shipped).stale == {}


def test_a_result_that_no_longer_fits_its_class_leaves_a_card_and_one_sentence(shipped):
    shipped.edit(SINE, "    mean: Quantity", "    mean: Quantity\n    other: Quantity")
    report = site(shipped)
    assert "older code" in report.absent["sine-wave"]
    assert "cosine-start" in report.figures


def test_an_experiment_that_was_never_published_is_absent_and_no_problem(shipped):
    index = shipped.project.published / "index.json"
    listed = json.loads(index.read_text())
    del listed["experiments"]["waves.sine"]
    index.write_text(json.dumps(listed))
    report = site(shipped)
    assert "not among the published ones" in report.absent["sine-wave"]
    assert report.problems == ()


def test_a_published_result_of_no_experiment_is_said_and_left_out(shipped):
    (shipped.root / SINE).unlink()
    report = site(shipped)
    assert report.problems == ()
    assert shipped.heard.sentences == [
        "The published result of waves.sine belongs to no experiment any more; it is left out."
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("waves.sine.zip", b"PK", "waves.sine.zip is not as it was published"),
        ("waves.sine.zip", None, "waves.sine.zip is missing"),
        ("waves.sine.json", b"{}", "waves.sine.json is not as it was published"),
        ("waves.sine.json", None, "waves.sine.json is missing"),
        ("index.json", b"[", "index.json cannot be read"),
        ("index.json", b"[]", "index.json cannot be read"),
        ("index.json", None, "index.json is missing"),
        ("index.json", b'{"format": 99, "experiments": {}}', f"have format 99 and this program reads {FORMAT}"),
    ],
)
def test_damaged_published_results_are_one_sentence_and_stop_neither_site_nor_report(shipped, name, content, message):
    path = shipped.project.published / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (problem,) = site(shipped).problems
    assert message in problem.message
    assert "\n" not in problem.message
    own = with_published(shipped.project, shipped.gather(), shipped.heard)
    assert own.problems == ()
    assert set(own.figures) == {"sine-wave", "cosine-start"}


def test_what_is_missing_or_failed_is_not_shipped(tiny):
    report = tiny.gather(only="sine")
    registry = discover(tiny.project.experiments)
    with pytest.raises(ReportError, match=r"no full result of waves\.cosine"):
        ship(tiny.project, registry, report)
    assert "Published 1 results" in ship(tiny.project, registry, report, partial=True)
    tiny.edit(COSINE, "@experiment.run", "@experiment.run\n@(lambda f: 1 / 0)")
    with pytest.raises(ReportError, match="nothing was published"):
        ship(tiny.project, registry, tiny.gather())


def test_what_was_published_stays_when_a_part_is_published_again(shipped):
    before = load(shipped.project).runs
    shipped.edit(SINE, "exact(wave.mean())", "exact(wave.mean() + 1e-12)")
    registry, report = discover(shipped.project.experiments), shipped.gather(only="sine")
    assert "Published 1 results" in ship(shipped.project, registry, report, partial=True)
    now = load(shipped.project)
    assert now.problems == ()
    assert now.runs["waves.cosine"] == before["waves.cosine"]
    assert now.runs["waves.sine"].result != before["waves.sine"].result


def test_results_of_one_processor_alone_are_not_shipped(tiny, monkeypatch):
    monkeypatch.setenv("NATIVE", "1")
    with pytest.raises(ReportError, match="other machines cannot repeat"):
        ship_now(tiny)


def moved(tiny):
    """Give the sine another mean than the published one, and its claim another verdict."""
    tiny.edit(SINE, "exact(wave.mean())", "exact(wave.mean() + 1.0)")
    return with_published(tiny.project, tiny.gather(), tiny.heard)


def test_the_same_results_are_reproduced_to_the_last_byte(shipped):
    found = with_published(shipped.project, shipped.gather(), shipped.heard).reproduction
    assert [claim.agree for claim in found.claims] == [True]
    assert [run.same_bytes for run in found.runs] == [True, True]
    assert found.numbers == found.numbers_agree > 0
    assert paragraph(found) == f"1 of 1 verdicts and 100 % of {found.numbers} numbers reproduced."


def test_a_result_that_moved_is_told_and_refused_only_where_it_is_asked_for(shipped):
    report = moved(shipped)
    assert report.problems == ()
    claim = report.claims["sine-mean-is-zero"]
    assert claim.differs
    assert claim.published is Verdict.SUPPORTED
    assert "sine-mean-is-zero (published: supported; here: refuted)" in paragraph(report.reproduction)
    assert [number.name for run in report.reproduction.runs for number in run.differing] == ["sine.mean"]
    (problem,) = differences(report)
    assert problem.where == SINE


def test_a_quick_run_is_not_compared(shipped):
    report = with_published(shipped.project, shipped.gather(scale="quick"), shipped.heard)
    assert report.reproduction is None
    assert differences(report) == ()


def test_without_published_results_the_declared_verdict_stands_in(tiny):
    report = compared(tiny.gather(), load(tiny.project), {})
    assert [claim.published for claim in report.reproduction.claims] == [None]
    assert report.reproduction.verdicts_agree == 1
