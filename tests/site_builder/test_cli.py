"""The commands on a whole tiny report: what they say, how they end, what they leave on the disk."""

import json
import shutil
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from site_builder import build, cli
from site_builder.base import environment
from site_builder.store import entries as store
from site_builder.store.entries import digests
from tests.site_builder.conftest import run_command

SINE = "experiments/waves/sine.py"
COSINE = "experiments/waves/cosine.py"
SIGNALS = "experiments/core/signals.py"


def command(*arguments: str):
    return CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)


def hears_interruptions():
    """Let a child be interrupted also where these tests run in the background, which ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def never(*_, **__):
    raise AssertionError("this should not have been called")


def test_the_last_line_of_a_report_says_which_file_to_open(built):
    done = command("report")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "Nothing changed since this site was built.",
        f"Open {built.project.site / 'index.html'}",
    ]
    assert built.project.site.joinpath("index.html").is_file()


def test_a_report_with_nothing_to_do_imports_no_experiment_and_no_heavy_package(built_once, clean_environment):
    program = (
        "import sys\n"
        "from site_builder.cli import app\n"
        "app(['report'], standalone_mode=False)\n"
        "heavy = ('scipy', 'matplotlib', 'torch', 'mkdocs', 'experiments.waves')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=built_once, env=clean_environment, capture_output=True, text=True
    )
    assert "Nothing changed" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_after_editing_a_sentence_no_experiment_is_imported(built, monkeypatch):
    monkeypatch.setattr(build, "discover", never)
    built.edit("docs/waves.md", "swings about", "swings evenly about")
    assert command("report").exit_code == 0
    assert "swings evenly about" in (built.project.site / "waves.html").read_text()


def test_the_outputs_for_programs_are_in_the_site(built):
    claims = json.loads((built.project.site / "claims.json").read_text())["claims"]
    assert [(claim["id"], claim["verdict"]) for claim in claims] == [("sine-mean-is-zero", "supported")]
    figures = json.loads((built.project.site / "figures.json").read_text())["figures"]
    assert [figure["id"] for figure in figures] == ["sine-wave", "cosine-start"]
    assert figures[0]["page"] == "waves.html"


def test_a_clean_build_gives_the_same_digests_again(built):
    def outcome() -> dict[str, str]:
        kept = (".svg", ".png", ".pdf", ".csv", "claims.json", "numbers.tex", "figures.bib")
        return {name: digest for name, digest in digests(built.project.site).items() if name.endswith(kept)}

    first = outcome()
    assert command("clean").exit_code == 0
    assert not built.project.build.exists()
    assert command("report").exit_code == 0
    assert outcome() == first
    kinds = ("light.svg", "dark.svg", "png", "pdf", "csv")
    assert {"claims.json", "numbers.tex", *(f"figures/sine-wave.{kind}" for kind in kinds)} <= first.keys()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'q("sine.mean"',
            'q("sine.maen"',
            "5: no number is named 'sine.maen'; did you mean 'sine.mean'?",
        ),
        ('figure("sine-wave")', 'figure("sine-wav")', "7: no figure is named 'sine-wav'; did you mean"),
        (
            'claim("sine-mean',
            'claim("sine-maen',
            "9: no claim is named 'sine-maen-is-zero'; did you mean",
        ),
    ],
)
def test_an_unknown_name_on_a_page_is_told_with_its_line_and_leaves_the_site_as_it_was(built, old, new, sentence):
    before = digests(built.project.site)
    built.edit("docs/waves.md", old, new)
    done = command("report")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"docs/waves.md:{sentence}")
    assert done.stderr.splitlines()[-1] == "1 problem; everything else is done and kept"
    assert digests(built.project.site) == before


def test_a_broken_link_is_told_with_its_page_and_line(built):
    built.edit("docs/waves.md", "In {{ ref", "See [there](nowhere.md). In {{ ref")
    done = command("report")
    assert done.exit_code == 1
    assert done.stderr.startswith("docs/waves.md:13: ")
    assert "nowhere.md" in done.stderr.splitlines()[0]


def test_failures_are_listed_together_and_shown_as_cards_and_nothing_of_them_is_kept(built):
    built.edit(SINE, "    return Result(wave", "    raise ValueError('no luck')\n    return Result(wave")
    built.edit(COSINE, "class Config:", "class Config")
    for _ in range(2):
        done = command("report")
        assert done.exit_code == 1
        assert len(done.stderr.splitlines()) == 3
        assert "cosine.py: line 13" in done.stderr
        assert "sine.py: run raised ValueError: no luck" in done.stderr
        assert "no luck" in (built.project.site / "waves.html").read_text()
    subprocess.run(["git", "checkout", "-q", "experiments"], cwd=built.root, check=True)
    built.edit("docs/index.md", "tiny", "small")
    assert command("report").exit_code == 0
    assert "no luck" not in (built.project.site / "waves.html").read_text()


def test_a_damaged_site_is_told_by_verify_and_built_again_by_report(built):
    page = built.project.site / "waves.html"
    content = page.read_bytes()
    page.write_bytes(content.replace(b"sine", b"sign", 1))
    done = command("verify")
    assert done.exit_code == 1
    assert done.stderr == "build/site/waves.html is not as it was built; `report` builds it again\n"
    assert command("report").exit_code == 0
    assert page.read_bytes() == content


def test_a_single_flipped_byte_in_a_result_is_told_by_verify_and_mended_by_report(built):
    assert command("verify").exit_code == 0
    (file,) = built.project.results.glob("waves.sine/*/result.npz")
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    done = command("verify")
    assert done.exit_code == 1
    assert "result.npz does not have its recorded digest" in done.stderr
    assert "result.npz does not have its recorded digest" in command("report").stdout
    assert command("verify").exit_code == 0
    assert file.read_bytes() == content


def without_times(built) -> dict[str, bytes]:
    """Return the files of the site that hold no wall time."""
    return {name: (built.project.site / name).read_bytes() for name in ("claims.json", "numbers.tex", "waves.html")}


@pytest.mark.parametrize(
    "gone",
    [
        "results", "results/waves.sine", "results/waves.sine/*", "results/waves.sine/*/complete.json",
        "figures", "figures/sine-wave/*", "figures/sine-wave/*/complete.json", "figures/sine-wave/*/*.svg",
        "rendered.json",
    ],
)  # fmt: skip
def test_what_was_deleted_below_build_is_named_by_verify_and_made_again_by_report(built, gone):
    before = without_times(built)
    paths = list(built.project.build.glob(gone))
    assert paths != []
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = command("verify")
    assert done.exit_code == 1
    assert "`report` makes it again" in done.stderr
    assert command("report").exit_code == 0
    assert command("verify").exit_code == 0
    assert without_times(built) == before


@pytest.mark.parametrize("content", ["[]", "{}", "null", '"text"', '{"state": [], "inputs": [], "report": []}'])
@pytest.mark.parametrize("stamp", ["finished.json", "report.json", "rendered.json"])
def test_a_stamp_of_any_other_shape_leads_to_a_right_report(built, stamp, content):
    before = without_times(built)
    (built.project.build / stamp).write_text(content)
    built.edit("docs/index.md", "tiny", "small")
    built.edit("docs/index.md", "small", "tiny")
    assert command("report").exit_code == 0
    assert command("verify").exit_code == 0
    assert without_times(built) == before


def test_a_changed_digit_in_a_kept_report_reaches_no_page(built):
    stamp = built.project.build / "report.json"
    text = stamp.read_text()
    assert "1.0" in text
    stamp.write_text(text.replace("1.0", "7.25"))
    built.edit("docs/index.md", "tiny", "small")
    assert command("report").exit_code == 0
    assert "7.25" not in (built.project.site / "waves.html").read_text()


@pytest.mark.parametrize("file", ["results/waves.sine/*/result.json", "figures/sine-wave/*/drawn.json"])
def test_what_is_sound_by_its_digest_and_cannot_be_read_back_is_made_again(built, file):
    before = without_times(built)
    (path,) = built.project.build.glob(file)
    path.write_text('{"of": "another shape"}')
    store.finish(path.parent)
    for stamp in ("report.json", "finished.json"):
        (built.project.build / stamp).unlink()
    done = command("report")
    assert "cannot be read back" in done.stdout
    assert (done.exit_code, without_times(built)) == (0, before)


def test_clean_says_what_it_did(built):
    assert command("clean").stdout == f"Removed {built.project.build}\n"
    assert command("clean").stdout == f"There is nothing to remove: {built.project.build} does not exist.\n"


def test_code_that_ends_the_program_never_ends_a_report_well(built, monkeypatch):
    monkeypatch.setattr(cli, "renewed", lambda *_, **__: sys.exit(0))
    done = command("report")
    assert done.exit_code == 1
    assert "before the command was done" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report", "--scale", "qick"], "SCALE: there is no 'qick', only quick, full, large; did you mean 'quick'?"),
        (["report", "--device", "gpu"], "DEVICE: there is no 'gpu', only auto, cpu, cuda"),
        (["report", "--only", "sinus"], "ONLY: no experiment is called 'sinus'; did you mean 'sine'?"),
        (["run", "--only", "waves.x*"], "ONLY: no experiment is called 'waves.x*'"),
        (["explain", "cosinus"], "ONLY: no experiment is called 'cosinus'; did you mean 'cosine'?"),
        (["cite", "sine-wavs"], "there is no figure 'sine-wavs'; did you mean 'sine-wave'?"),
        (["cite", "sine-wave", "--format", "bibtx"], "--format: there is no 'bibtx'"),
    ],
)
def test_a_wrong_word_is_one_sentence_with_the_nearest_choice_and_ends_with_2(built, arguments, sentence):
    done = command(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_options_are_taken_from_the_environment(built, monkeypatch):
    monkeypatch.setenv("SCALE", "fulll")
    assert "did you mean 'full'?" in command("report").stderr


def test_cuda_where_there_is_none_is_one_sentence(built, monkeypatch):
    monkeypatch.setattr(environment, "cuda_is_there", lambda: False)
    done = command("report", "--device", "cuda")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "no CUDA device" in done.stderr


def test_a_folder_that_is_no_report_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("report")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)


def test_a_verdict_that_changed_is_told_and_marked_and_refused_only_if_strict(built):
    built.edit(SINE, "criterion=less_than(1e-9)", "criterion=less_than(-1.0)")
    done = command("report")
    assert done.exit_code == 0, done.stderr
    assert "0 of 1 verdicts reproduced. 1 claim differs" in done.stdout
    assert "sine-mean-is-zero (published: supported; here: refuted)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Open ")
    assert json.loads((built.project.site / "claims.json").read_text())["claims"][0]["verdict"] == "refuted"
    (compared,) = json.loads((built.project.site / "reproduction.json").read_text())["claims"]
    assert (compared["published"]["verdict"], compared["local"]["verdict"], compared["agree"]) == (
        "supported", "refuted", False,
    )  # fmt: skip
    assert "published: " in (built.project.site / "waves.html").read_text()
    assert "0 of 1 verdicts reproduced" in (built.project.site / "reproduction.html").read_text()
    done = command("report", "--strict")
    assert done.exit_code == 1
    assert "claim 'sine-mean-is-zero' was published as supported and is refuted at full" in done.stderr
    assert command("report", "--scale", "quick", "--strict").exit_code == 0


def test_a_site_is_built_from_published_results_without_running_anything(built, monkeypatch):
    assert command("site").exit_code == 1
    done = command("ship")
    assert (done.exit_code, "Published 2 results" in done.stdout) == (0, True), done.stderr
    command("clean")
    monkeypatch.setattr("site_builder.results.runs.computed", never)
    done = command("site")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"Open {built.project.site / 'index.html'}"
    assert "These are the published results" in (built.project.site / "reproduction.html").read_text()
    assert "Nothing changed since this site was built." in command("site").stdout


def test_explain_tells_which_parts_of_a_key_changed(built):
    assert "waves.sine is stored; nothing would run" in command("explain").stdout
    built.edit(SIGNALS, "SCALE = 1.0", "SCALE = 2.0")
    built.edit(SINE, "samples: int = 64", "samples: int = 128")
    assert command("explain", "sine").stdout.splitlines() == [
        "waves.sine would run again:",
        "    code experiments.core.signals.SCALE changed",
        "    config samples: 64 -> 128",
    ]


def test_explain_tells_what_would_be_drawn_again(built):
    built.edit(SINE, 'return "sine"', 'return "a sine"')
    assert command("explain", "sine").stdout.splitlines() == [
        "waves.sine is stored; nothing would run",
        "  sine-wave would be drawn again:",
        "    code experiments.waves.sine._label changed",
    ]


def test_list_shows_experiments_figures_claims_and_what_is_broken(built):
    built.edit(COSINE, "class Config:", "class Config")
    lines = command("list", "--scale", "quick").stdout.splitlines()
    assert lines[0] == "waves.sine  A sine  [not run at quick]"
    assert "  figure sine-wave  A sine wave" in lines
    assert "  claim  sine-mean-is-zero  The mean of a sine is zero" in lines
    assert lines[-1].startswith("experiments/waves/cosine.py: line 13")


def test_cite_prints_the_citation_of_a_figure(built):
    done = command("cite", "sine-wave", "--format", "csl")
    assert done.exit_code == 0
    assert json.loads(done.stdout)


def test_build_runs_nothing_and_shows_cards(built):
    for folder in built.project.results.iterdir():
        if folder.name == "waves.sine":
            folder.rename(built.root / "elsewhere")
    done = command("build")
    assert done.exit_code == 0
    assert "3 names have no result in this build" in done.stdout
    assert "not run yet" in (built.project.site / "waves.html").read_text()


def test_a_draft_goes_to_the_preview_and_leaves_the_site_alone(built):
    before = digests(built.project.site)
    built.edit(SINE, "    return Result(wave", "    raise ValueError('no luck')\n    return Result(wave")
    assert command("preview").exit_code == 1
    assert "no luck" in (built.project.preview / "waves.html").read_text()
    assert digests(built.project.site) == before


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("import numpy as np", "__import__('os')._exit(0)", "importing experiments/waves/sine.py"),
        ("import numpy as np", "__import__('os').abort()", "importing experiments/waves/sine.py"),
        ("    return Result(wave", "    __import__('os')._exit(0)\n    return Result(wave", "running waves.sine"),
    ],
)
def test_a_report_that_an_experiment_ends_from_within_says_where_and_never_ends_well(tiny, old, new, place):
    tiny.edit(SINE, old, new)
    done = run_command(tiny.root, "report", "--jobs", "1", check=False)
    assert done.returncode not in (0, 2)
    assert f" while {place} before it was done; what was finished is kept.\n" in done.stderr
    assert not tiny.project.site.exists()


@pytest.mark.parametrize(("kill", "jobs"), [(signal.SIGINT, "1"), (signal.SIGTERM, "2"), (signal.SIGKILL, "2")])
def test_an_interrupted_report_keeps_what_was_complete_and_goes_on_from_there(tiny, clean_environment, kill, jobs):
    slow = '    __import__("time").sleep(60)\n'
    tiny.edit(SINE, "    return Result(wave", f"{slow}    return Result(wave")
    arguments = [sys.executable, "-m", "site_builder", "report", "--jobs", jobs]
    with subprocess.Popen(
        arguments,
        cwd=tiny.root,
        env=clean_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interruptions,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        stored = "waves.sine ..." if jobs == "1" else "waves.cosine took"  # what is said when the cosine is stored
        while not process.stdout.readline().startswith(stored):
            assert process.poll() is None
        process.send_signal(kill)
        said = process.stderr.read()
    if kill != signal.SIGKILL:
        assert process.returncode == 128 + kill
        assert said == "Interrupted; what was finished is kept, and the same command goes on from there.\n"
    tiny.edit(SINE, slow, "")
    assert tiny.gather().problems == ()
    assert tiny.heard.runs == ["waves.sine"]
    assert not list(tiny.project.build.rglob(".unfinished-*"))


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (SINE, "{means.first:.3f}", "{means.frist:.3f}", "names 'means.frist', which the result does not have"),
        (
            "docs/waves.md",
            'q("sine.mean"',
            'q("sine.maen"',
            "no number is named 'sine.maen'; did you mean 'sine.mean'",
        ),
        ("docs/waves.md", 'figure("sine-wave")', 'figure("sine-wav")', "no figure is named 'sine-wav'"),
    ],
)
def test_a_misspelt_name_ends_the_report_before_anything_runs(tiny, monkeypatch, file, old, new, sentence):
    monkeypatch.chdir(tiny.root)
    tiny.edit(file, old, new)
    done = command("report")
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert not (tiny.project.build / "results").exists()
