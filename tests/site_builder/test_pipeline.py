"""Runs, figures and claims of the tiny report: what is made, what is kept, what is made again, and what fails."""

import errno
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from site_builder.base.options import Options
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import discover
from site_builder.figures import drawings
from site_builder.pipeline import gather

SINE = "experiments/waves/sine.py"
COSINE = "experiments/waves/cosine.py"
SIGNALS = "experiments/core/signals.py"


def test_a_report_holds_runs_figures_claims_and_quantities(tiny):
    report = tiny.gather()
    assert list(report.runs) == ["waves.cosine", "waves.sine"]
    assert list(report.figures) == ["cosine-start", "sine-wave"]
    assert report.claims["sine-mean-is-zero"].verdict is Verdict.SUPPORTED
    assert report.quantities["cosine.start"].value == 1.0
    assert set(report.quantities) == {"cosine.start", "sine.mean", "sine.means.first", "sine.means.second"}
    assert report.problems == ()
    assert report.absent == {}


def test_a_figure_record_has_its_words_filled_in_and_names_its_claims_and_source(tiny):
    figure = tiny.gather().figures["sine-wave"]
    assert figure.caption.startswith("The mean is ")
    assert "{" not in figure.caption
    assert figure.claims == ("sine-mean-is-zero",)
    lines = (tiny.root / SINE).read_text().splitlines()
    assert figure.source.path == SINE
    assert lines[figure.source.first_line - 1] == "@experiment.figure("
    assert lines[figure.source.last_line - 1] == "    return figure"
    assert (tiny.project.figures / figure.files["light.svg"].path).is_file()


@pytest.mark.parametrize(
    ("half_width", "verdict", "listed"),
    [(0.5, Verdict.INCONCLUSIVE, ["sine-mean-is-zero"]), (0.05, Verdict.SUPPORTED, [])],
)
def test_a_verdict_within_two_standard_errors_of_another_is_inconclusive(tiny, half_width, verdict, listed):
    tiny.edit(SINE, "exact(abs(result.mean.value))", f"Quantity(0.0, -{half_width}, {half_width})")
    tiny.edit(SINE, "criterion=less_than(1e-9)", "criterion=less_than(0.1)")
    report = tiny.gather()
    claim = report.claims["sine-mean-is-zero"]
    assert (claim.verdict, claim.by_criterion) == (verdict, Verdict.SUPPORTED)
    assert claim.margin == pytest.approx(0.1 * 1.96 / half_width, rel=1e-2)
    assert [each.id for each in report.narrow] == listed


def test_a_second_report_runs_and_draws_nothing_and_is_equal(tiny):
    first = tiny.gather()
    second = tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == ([], [])
    assert second == first


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (SINE, "swings evenly", "moves evenly"),
        (SINE, "The mean is {mean:.3f}", "Its mean: {mean:.4f}"),
        (SINE, '"""Sample the wave."""', '"""Take samples."""'),
        (SINE, "device: str", "device: object"),
        (SIGNALS, "# The end point is left out", "# No end point"),
        (SIGNALS, "def cosine(", "def unrelated(): ...\n\n\ndef cosine("),
        (SIGNALS, "return SCALE *", "return (\n        SCALE) *"),
        (SINE, 'undefined("the first sample', 'undefined("that sample'),
    ],
)
def test_words_comments_and_unrelated_code_rerun_and_redraw_nothing(tiny, file, old, new):
    tiny.gather()
    tiny.edit(file, old, new)
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == ([], [])


def test_a_changed_helper_reruns_exactly_what_uses_it(tiny):
    tiny.gather()
    tiny.edit(SIGNALS, "SCALE = 1.0", "SCALE = 2.0")
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == (["waves.sine"], ["sine-wave"])


def test_a_changed_drawing_helper_draws_again_without_running(tiny):
    tiny.gather()
    tiny.edit(SINE, 'return "sine"', 'return "a sine"')
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == ([], ["sine-wave"])


VIEW = """

@experiment.view("cosine-start")
def turn(result: Result) -> Solids:
    return Solids("A dot", (Solid("dot", np.array([[result.start.value, 0.0, 0.0]])),))
"""


def with_view(tiny):
    """Give the cosine's figure a view."""
    tiny.edit(
        COSINE,
        "from experiments.core.contract",
        "import numpy as np\nfrom experiments.core.views import Solid, Solids\nfrom experiments.core.contract",
    )
    tiny.edit(COSINE, "    return figure\n", "    return figure\n" + VIEW)


def test_a_view_is_one_more_file_of_its_figure_alone(tiny):
    before = tiny.gather().figures
    with_view(tiny)
    after = tiny.gather().figures
    assert (tiny.heard.runs, tiny.drawn) == ([], ["cosine-start"])
    assert after["sine-wave"].draw_key == before["sine-wave"].draw_key
    assert after["sine-wave"].files == before["sine-wave"].files
    assert after["cosine-start"].files.keys() - before["cosine-start"].files.keys() == {"view.json"}
    stored = json.loads((tiny.project.figures / after["cosine-start"].files["view.json"].path).read_text())
    assert stored["solids"][0]["positions"] == [[1.0, 0.0, 0.0]]


COLLECTION = """

@experiment.view("cosine-start")
def browse(result: Result) -> Collection:
    entry = Entry("start", "The start", "", (result.start.value,), ())
    return Collection("Places", "place", "places", "", (Column("value", "", ".1f"),), (entry,))
"""


def test_a_collection_is_a_view_in_a_file_of_its_own_kind(tiny):
    before = tiny.gather().figures["cosine-start"]
    contract = "from experiments.core.contract"
    tiny.edit(COSINE, contract, f"from experiments.core.browsing import Collection, Column, Entry\n{contract}")
    tiny.edit(COSINE, "    return figure\n", "    return figure\n" + COLLECTION)
    after = tiny.gather().figures["cosine-start"]
    assert tiny.heard.runs == []
    assert after.files.keys() - before.files.keys() == {"collection.json"}
    stored = json.loads((tiny.project.figures / after.files["collection.json"].path).read_text())
    assert [(entry["id"], entry["values"]) for entry in stored["entries"]] == [("start", [1.0])]


def test_a_changed_view_draws_its_figure_again_and_a_broken_one_is_one_sentence(tiny):
    with_view(tiny)
    tiny.gather()
    tiny.edit(COSINE, '"A dot"', '"A point"')
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == ([], ["cosine-start"])
    tiny.edit(COSINE, "[[result.start.value, 0.0, 0.0]]", "[[np.nan, 0.0, 0.0]]")
    (problem,) = tiny.gather().problems
    assert "the view 'dot' cannot be shown: a number is not finite" in problem.message


def test_a_rerun_with_the_same_result_draws_nothing(tiny):
    tiny.gather()
    tiny.edit(SIGNALS, "np.linspace(0.0,", "np.linspace(0.0 + 0.0,")
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == (["waves.cosine", "waves.sine"], [])


def test_another_version_of_a_package_reruns_what_imports_it(tiny, monkeypatch):
    tiny.gather()
    monkeypatch.setattr("site_builder.keys.run_keys.versions", lambda packages: dict.fromkeys(packages, "99"))
    tiny.gather()
    assert tiny.heard.runs == ["waves.cosine", "waves.sine"]


def test_files_of_a_quick_run_say_so_and_are_drawn_apart_from_those_of_an_equal_published_one(tiny):
    experiment = discover(tiny.project.experiments).experiments["waves.sine"]
    (spec,) = experiment.figures.values()
    publication = read_publication(tiny.project.root)
    published, quick = (drawings.about(spec, experiment, publication, scale) for scale in ("full", "quick"))
    assert quick == published | {"scale": "quick"}
    assert "scale" not in published


def test_what_is_done_meanwhile_is_done_only_where_there_is_work(tiny):
    asked, done = [], threading.Event()

    def meanwhile():
        asked.append(True)
        done.set()

    registry = discover(tiny.project.experiments)
    gather(tiny.project, registry, Options(), tiny.heard, meanwhile=meanwhile)
    assert done.wait(60)
    gather(tiny.project, registry, Options(), tiny.heard, meanwhile=meanwhile)
    assert asked == [True]


def test_scales_are_kept_side_by_side(tiny):
    full = tiny.gather()
    quick = tiny.gather(scale="quick")
    assert tiny.heard.runs == ["waves.cosine", "waves.sine"]
    assert full.runs["waves.sine"].config["samples"] == 64
    assert quick.runs["waves.sine"].config["samples"] == 16
    assert tiny.gather() == full
    assert tiny.heard.runs == []


def test_a_new_published_default_leaves_the_quick_result_alone(tiny):
    tiny.gather(scale="quick")
    tiny.edit(SINE, "samples: int = 64", "samples: int = 128")
    tiny.gather(scale="quick")
    assert tiny.heard.runs == []


def test_only_the_asked_experiment_runs_and_the_others_are_absent_with_a_reason(tiny):
    report = tiny.gather(only="sine")
    assert tiny.heard.runs == ["waves.sine"]
    assert set(report.absent) == {"cosine", "cosine-start"}
    assert "only 'sine' was asked for" in report.absent["cosine-start"]
    assert report.problems == ()


def test_only_shows_stored_results_of_the_others(tiny):
    tiny.gather()
    report = tiny.gather(only="waves.s*")
    assert set(report.figures) == {"sine-wave", "cosine-start"}


def test_an_unknown_experiment_is_refused_with_the_nearest_name(tiny):
    with pytest.raises(ReportError, match=r"'sinus'.*did you mean 'sine'"):
        tiny.gather(only="sinus")


def broken(tiny, old, new, **options):
    """Gather with the sine experiment broken, and check that the other one and the store come to no harm."""
    tiny.edit(SINE, old, new)
    report = tiny.gather(**options)
    assert "cosine-start" in report.figures
    assert len(report.problems) == 1
    assert report.problems[0].where == SINE
    assert "\n" not in report.problems[0].message
    return report


RETURN = "    return Result(wave, exact(wave.mean())"


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("    raise ValueError('no\\nluck')\n" + RETURN, "run raised ValueError: no luck (sine.py, line "),
        ("    wave[3] = np.nan\n" + RETURN, "Result.wave holds NaN or infinity in 1 of 64 entries"),
        ("    return Result(wave, exact(np.inf)", "Result.mean.value is inf"),
        ("    return Result(list(wave), exact(0.0)", "Result.wave should be a numpy array and is list"),
        ("    return wave\n" + RETURN, "Result should be a Result and is numpy.ndarray"),
        ("    raise SystemExit\n" + RETURN, "run raised SystemExit"),
    ],
)
def test_a_failing_run_is_one_sentence_and_is_never_stored(tiny, new, message):
    report = broken(tiny, RETURN, new)
    assert report.problems[0].message.startswith(message)
    assert set(report.absent) == {"sine", "sine-wave", "sine-mean-is-zero"}
    assert not [path for path in (tiny.project.results / "waves.sine").glob("*") if path.suffix != ".lock"]
    assert tiny.gather().problems == report.problems
    assert tiny.heard.runs == ["waves.sine"]


def test_a_failure_keeps_its_traceback_in_a_file(tiny):
    broken(tiny, RETURN, "    raise ValueError('no luck')\n" + RETURN)
    text = (tiny.project.failures / "waves.sine.txt").read_text()
    assert "Traceback" in text
    assert "raise ValueError('no luck')" in text


def test_a_figure_that_cannot_be_drawn_leaves_the_claim_standing(tiny):
    report = broken(tiny, "    figure = Figure()", "    figure = Figure(bogus=1)")
    assert report.problems[0].message.startswith("figure 'sine-wave' raised")
    assert set(report.absent) == {"sine-wave"}
    assert "sine-mean-is-zero" in report.claims
    assert not (tiny.project.figures / "sine-wave").exists() or not any((tiny.project.figures / "sine-wave").iterdir())


def test_an_unknown_number_in_a_caption_is_refused_with_the_nearest_name(tiny):
    report = broken(tiny, "{means.first:.3f}", "{means.frist:.3f}")
    assert "caption of figure 'sine-wave' names 'means.frist'" in report.problems[0].message
    assert "did you mean 'means.first'" in report.problems[0].message


def test_a_claim_that_returns_no_finding_is_one_sentence(tiny):
    report = broken(tiny, "return exact(abs(result.mean.value))", "return (result.mean,)")
    assert report.problems[0].message == "claim 'sine-mean-is-zero' returned a tuple; return a Quantity or an Evidence"


def test_a_broken_file_is_one_sentence_and_its_name_is_absent(tiny):
    report = broken(tiny, "def run(config", "def run(config:")
    assert "line" in report.problems[0].message
    assert "sine" in report.absent


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_damaged_result_is_said_and_computed_again(tiny, harm):
    before = tiny.gather()
    (file,) = (tiny.project.results / "waves.sine").glob("*/result.npz")
    content = file.read_bytes()
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if harm == "flip" else b""))
    after = tiny.gather()
    assert tiny.heard.runs == ["waves.sine"]
    assert "result.npz does not have its recorded digest" in tiny.heard.sentences[0]
    assert file.read_bytes() == content
    assert after.figures == before.figures or after.figures["sine-wave"].digest == before.figures["sine-wave"].digest


def test_a_damaged_marker_counts_as_damage(tiny):
    tiny.gather()
    (marker,) = (tiny.project.results / "waves.sine").glob("*/complete.json")
    marker.write_text("{", "utf-8")
    tiny.gather()
    assert tiny.heard.runs == ["waves.sine"]


def test_a_damaged_figure_is_drawn_again(tiny):
    tiny.gather()
    (file,) = (tiny.project.figures / "sine-wave").glob("*/light.svg")
    file.write_bytes(b"")
    tiny.gather()
    assert (tiny.heard.runs, tiny.drawn) == ([], ["sine-wave"])


def test_two_clean_runs_store_the_same_bytes(tiny):
    def stored() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in Path(tiny.project.results).glob("waves.sine/*/result.*")}

    tiny.gather()
    first = stored()
    for path in tiny.project.results.glob("waves.sine/*"):
        path.rename(tiny.root / path.name)
    tiny.gather()
    assert stored() == first
    assert len(first) == 2


def test_the_key_of_a_stored_run_names_its_parts(tiny):
    tiny.gather()
    (file,) = (tiny.project.results / "waves.sine").glob("*/key.json")
    parts = json.loads(file.read_text())
    assert "code experiments.core.signals.sine" in parts
    assert "code experiments.core.signals._angles" in parts
    assert "code experiments.core.signals.cosine" not in parts
    assert "code experiments.waves.sine.draw" not in parts
    assert parts["config samples"] == "64"
    assert "version numpy" in parts
    assert "version matplotlib" not in parts


def test_an_array_in_a_configuration_is_refused_since_its_values_would_be_in_no_key(tiny):
    tiny.edit(SINE, "    samples: int = 64", "    samples: int = 64\n    grid: NDArray[np.float64] | None = None")
    tiny.edit(SINE, "config=Config()", "config=Config(grid=np.zeros(2))")
    (problem,) = tiny.gather().problems
    assert problem.message.startswith("config.grid is an array")
    assert tiny.gather(scale="quick").problems == ()


def test_two_reports_at_the_same_time_share_one_run(tiny):
    tiny.edit(SINE, "    wave = signals", '    __import__("time").sleep(0.5)\n    wave = signals')
    registry = discover(tiny.project.experiments)
    watchers = [type(tiny.heard)(), type(tiny.heard)()]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda heard: gather(tiny.project, registry, Options(), heard), watchers))
    assert reports[0] == reports[1]
    assert sorted(watchers[0].runs + watchers[1].runs) == ["waves.cosine", "waves.sine"]
    assert "waves.sine: another report is running it; waiting for its result" in str(watchers)


def test_a_full_disk_is_one_sentence_per_experiment_and_loses_nothing(tiny, monkeypatch):
    before = tiny.gather()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tiny.edit(SIGNALS, "SCALE = 1.0", "SCALE = 2.0")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        report = tiny.gather()
    (problem,) = report.problems
    assert "the disk is full; free some space and run again; what was finished is kept" in problem.message
    assert "cosine-start" in report.figures
    tiny.edit(SIGNALS, "SCALE = 2.0", "SCALE = 1.0")
    assert tiny.gather() == before
    assert tiny.heard.runs == []


def test_a_declared_input_is_part_of_the_key(tiny):
    (tiny.root / "table.csv").write_text("1", "utf-8")
    tiny.edit(
        SINE,
        "quick=Config(samples=16))",
        'quick=Config(samples=16), inputs=(__import__("pathlib").Path("table.csv"),))',
    )
    tiny.gather()
    tiny.gather()
    assert tiny.heard.runs == []
    (tiny.root / "table.csv").write_text("2", "utf-8")
    tiny.gather()
    assert tiny.heard.runs == ["waves.sine"]
    (tiny.root / "table.csv").unlink()
    assert "table.csv cannot be read" in tiny.gather().problems[0].message
