"""Nothing to do is recognised from files alone, and anything that could matter is noticed."""

import dataclasses

import pytest

from site_builder.base.locks import normal
from site_builder.base.options import Options
from site_builder.keys import build_stamp as freshness
from site_builder.store.entries import write_stamp


@pytest.fixture
def finished(tiny):
    """The tiny report with a site that is marked as finished, without the cost of building one."""
    report = tiny.gather()
    tiny.project.site.mkdir(parents=True)
    (tiny.project.site / "index.html").write_text("page")
    write_stamp(tiny.project.build / freshness.SHOWN, "what the site shows")
    state = freshness.state_of(tiny.project, Options())
    freshness.mark_finished(tiny.project, state, report, [])
    freshness.keep_report(tiny.project, state, report, [])
    tiny.report = report
    return tiny


def is_finished(tiny, **options) -> bool:
    return freshness.is_finished(tiny.project, freshness.state_of(tiny.project, Options(**options)))


def test_a_finished_site_is_recognised_until_it_is_forgotten(finished):
    assert is_finished(finished)
    freshness.forget_finished(finished.project)
    assert not is_finished(finished)


@pytest.mark.parametrize(
    "file", ["experiments/waves/sine.py", "experiments/core/signals.py", "docs/waves.md", "mkdocs.yml"]
)
def test_any_changed_source_is_noticed(finished, file):
    with (finished.root / file).open("a") as stream:
        stream.write("\n")
    assert not is_finished(finished)


@pytest.mark.parametrize("folder", ["experiments/waves", "docs"])
def test_new_and_removed_sources_are_noticed(finished, folder):
    new = finished.root / folder / "new.md"
    new.touch()
    assert not is_finished(finished)
    new.unlink()
    assert is_finished(finished)
    next((finished.root / folder).glob("[a-z]*.*")).unlink()
    assert not is_finished(finished)


@pytest.mark.parametrize(
    "file", ["site/index.html", "results/waves.sine/*/result.npz", "figures/sine-wave/*/light.svg"]
)
def test_any_changed_product_is_noticed(finished, file):
    (path,) = finished.project.build.glob(file)
    path.write_bytes(path.read_bytes() + b" ")
    assert not is_finished(finished)
    path.unlink()
    assert not is_finished(finished)


def test_other_options_installed_packages_and_addresses_are_noticed(finished, monkeypatch):
    assert not is_finished(finished, scale="quick")
    assert not is_finished(finished, only="sine")
    monkeypatch.setenv("SITE_URL", "https://example.org/")
    assert not is_finished(finished)
    monkeypatch.delenv("SITE_URL")
    assert is_finished(finished)
    monkeypatch.setattr(freshness, "_installed", lambda root: ["numpy-99.dist-info"])
    assert not is_finished(finished)


def test_a_changed_input_file_is_noticed(finished):
    data = finished.root / "table.csv"
    data.write_text("1")
    state = freshness.state_of(finished.project, Options())
    freshness.mark_finished(finished.project, state, finished.report, [data.relative_to(finished.root)])
    assert is_finished(finished)
    data.write_text("2")
    assert not is_finished(finished)


def test_a_marker_that_cannot_be_read_counts_for_nothing(finished):
    (finished.project.build / "finished.json").write_text("{")
    (finished.project.build / "report.json").write_text("[")
    assert not is_finished(finished)
    assert freshness.kept_report(finished.project, freshness.state_of(finished.project, Options())) is None


def test_a_kept_report_is_equal_and_carries_the_commit_of_the_build(finished):
    run = finished.report.runs["waves.sine"]
    assert not run.dirty
    state = freshness.state_of(finished.project, Options())
    finished.edit("CITATION.cff", "tiny report", "small report")
    kept = freshness.kept_report(finished.project, state)
    assert kept is not None
    report, inputs = kept
    assert inputs == []
    assert report.runs["waves.sine"] == dataclasses.replace(run, dirty=True)
    assert report.figures["sine-wave"].run.dirty
    assert report.claims == finished.report.claims
    assert report.quantities == finished.report.quantities


def test_a_kept_report_does_not_outlive_its_code_or_its_stored_results(finished):
    def kept():
        return freshness.kept_report(finished.project, freshness.state_of(finished.project, Options()))

    assert kept()
    (file,) = finished.project.results.glob("waves.sine/*/result.npz")
    content = file.read_bytes()
    file.write_bytes(b"")
    assert kept() is None
    file.write_bytes(content)
    assert kept()
    finished.edit("experiments/waves/sine.py", "swings", "moves")
    assert kept() is None


def test_packages_that_only_the_tests_need_change_nothing(tmp_path):
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6 \\\n    --hash=sha256:00\nscikit-learn==1.9.1\n")
    found = freshness._installed(tmp_path)
    assert {normal(name.partition("-")[0]) for name in found} == {"numpy", "scikit-learn"}
    assert any(name.startswith("pytest-") for name in freshness._installed(tmp_path / "no-lock"))
