"""Every way in which an experiment can be broken or incomplete is one sentence, and stops no other experiment."""

import pytest

from experiments.core.errors import ReportError
from site_builder.discovery.process_state import process_state
from site_builder.discovery.registry import discover

SINE = "experiments/waves/sine.py"
COSINE = "experiments/waves/cosine.py"


def test_experiments_are_found_by_listing_the_folders_of_parts(tiny):
    registry = discover(tiny.project.experiments)
    assert list(registry.experiments) == ["waves.cosine", "waves.sine"]
    assert registry.problems == []
    assert set(registry.figures) == {"cosine-start", "sine-wave"}
    assert set(registry.claims) == {"sine-mean-is-zero"}


def only_problem(tiny):
    """Return the one problem; the sound experiment is still there."""
    registry = discover(tiny.project.experiments)
    assert "waves.cosine" in registry.experiments
    (problem,) = registry.problems
    assert "\n" not in problem.message
    return problem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("class Config:", "class Config", "expected ':'"),
        ("import numpy as np", "import numpyy as np", "importing it raised ModuleNotFoundError: No module named"),
        ("experiment = Experiment(", "experiment = str(", "importing it raised TypeError"),
        ("Experiment(__name__", "Experiment('experiments.wrong'", "registered as 'experiments.wrong'; pass `__name__`"),
        ("@experiment.run", "", "it needs a run"),
        ("-> Result:", "-> list:", "run must be annotated"),
        ("-> Result:", ":", "run must be annotated"),
        ("@dataclass(frozen=True)\nclass Config", "@dataclass\nclass Config", "config must be a frozen dataclass"),
        ("    seed: int = 0\n", "", "config must have an integer field `seed`"),
        ("quick=Config(samples=16)", "quick=16", "the quick configuration must be a Config"),
        (
            "criterion=less_than(1e-9)",
            'criterion="small"',
            "claim 'sine-mean-is-zero' needs a criterion",
        ),
        ('"sine-wave",\n', '"Sine wave",\n', "'Sine wave' must be a slug"),
        ("swings evenly about zero.", "", None),
        ('alt="A curve that swings evenly about zero."', 'alt=" "', "figure 'sine-wave' needs an alt text"),
        ('caption="The mean is {mean:.3f}, in the first half {means.first:.3f}."', 'caption=""', "needs a caption"),
    ],
)
def test_a_broken_experiment_is_one_sentence_that_names_the_file(tiny, old, new, message):
    tiny.edit(SINE, old, new)
    if message is None:
        assert discover(tiny.project.experiments).problems == []
        return
    problem = only_problem(tiny)
    assert problem.where == SINE
    assert message in problem.message


def test_an_import_error_names_the_line(tiny):
    tiny.edit(SINE, "import numpy as np\n", "import numpy as np\n1 / 0\n")
    assert only_problem(tiny).message.endswith("ZeroDivisionError: division by zero (sine.py, line 6)")


def test_a_file_without_an_experiment_is_refused(tiny):
    (tiny.root / "experiments/waves/helpers.py").write_text("X = 1\n")
    assert "must define `experiment" in only_problem(tiny).message


def test_files_of_the_core_and_private_files_are_no_experiments(tiny):
    (tiny.root / "experiments/waves/_shared.py").write_text("X = 1\n")
    (tiny.root / "experiments/core/more.py").write_text("X = 1\n")
    assert discover(tiny.project.experiments).problems == []


@pytest.mark.parametrize(("kind", "old"), [("figure", "sine-wave"), ("claim", "sine-mean-is-zero")])
def test_an_id_used_twice_across_experiments_is_refused(tiny, kind, old):
    text = (tiny.root / SINE).read_text()
    other = "claim" if kind == "figure" else "figure"
    renamed = text.replace("sine-wave" if other == "figure" else "sine-mean-is-zero", "another-one")
    (tiny.root / "experiments/waves/tangent.py").write_text(renamed)
    problem = only_problem(tiny)
    assert problem.where == "experiments/waves/tangent.py"
    assert problem.message == f"the {kind} id {old!r} is taken by {SINE}; rename the newer one"


def test_two_experiments_of_one_file_name_are_refused_since_pages_quote_by_it(tiny):
    part = tiny.root / "experiments/waves_two"
    part.mkdir()
    (part / "__init__.py").touch()
    text = (tiny.root / SINE).read_text()
    (part / "sine.py").write_text(text.replace("sine-wave", "other-wave").replace("sine-mean-is-zero", "other-claim"))
    assert "has the same file name" in only_problem(tiny).message


def test_a_claim_that_rests_on_an_unknown_figure_gets_the_nearest_name(tiny):
    tiny.edit(SINE, 'figures=("sine-wave",)', 'figures=("sine-waves",)')
    problem = only_problem(tiny)
    assert "'sine-waves', which no experiment draws; did you mean 'sine-wave'" in problem.message


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (None, ["waves.cosine", "waves.sine"]),
        ("sine", ["waves.sine"]),
        ("waves.sine", ["waves.sine"]),
        ("waves", ["waves.cosine", "waves.sine"]),
        ("*sine", ["waves.cosine", "waves.sine"]),
        ("waves.c*", ["waves.cosine"]),
    ],
)
def test_experiments_are_selected_by_id_file_name_part_or_glob(tiny, pattern, expected):
    assert [each.id for each in discover(tiny.project.experiments).select(pattern)] == expected


def test_selecting_a_broken_experiment_selects_nothing_and_an_unknown_one_is_refused(tiny):
    tiny.edit(SINE, "class Config:", "class Config")
    registry = discover(tiny.project.experiments)
    assert registry.select("sine") == []
    with pytest.raises(ReportError, match="did you mean 'cosine'"):
        registry.select("cosin")


def test_an_experiment_with_nothing_to_run_is_left_out_and_says_why_when_it_is_asked_for(tiny):
    tiny.edit(SINE, "quick=Config(samples=16)", 'quick=Config(samples=16), dormant="no file was given"')
    registry = discover(tiny.project.experiments)
    assert list(registry.experiments) == ["waves.cosine"]
    assert set(registry.dormant) == {"sine", "sine-wave", "sine-mean-is-zero"}
    assert registry.problems == []
    with pytest.raises(ReportError, match=r"ONLY: 'waves\.sine' has nothing to run: no file was given"):
        registry.select("waves.sine")


@pytest.mark.parametrize(
    "end", ["sys.exit(0)", "sys.exit('a reason')", "raise KeyboardInterrupt", "raise GeneratorExit"]
)
def test_an_import_that_ends_the_program_is_a_problem_of_that_experiment(tiny, end):
    tiny.edit(SINE, "experiment = Experiment(", f"import sys\n{end}\nexperiment = Experiment(")
    problem = only_problem(tiny)
    assert problem.where == SINE
    assert "importing it raised" in problem.message


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("np.seterr(all='raise')", "numpy's handling of errors"),
        ("import torch; torch.set_default_dtype(torch.float64)", "torch's default type"),
        ("import os; os.chdir('/')", "the working folder"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "the handler of SIGTERM"),
    ],
)
def test_an_import_that_changes_the_process_for_others_is_refused_and_undone(tiny, line, what):
    before = process_state()
    tiny.edit(SINE, "experiment = Experiment(", f"{line}\nexperiment = Experiment(")
    for _ in range(2):
        assert f"importing it changes {what} for every experiment" in only_problem(tiny).message
    after = process_state()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("mark", ["experiments/published/waves.sine.json", "build/results/waves.sine/key/run.json"])
def test_an_experiment_that_was_published_or_ran_keeps_its_names_against_a_newcomer(tiny, mark):
    (tiny.root / mark).parent.mkdir(parents=True)
    (tiny.root / mark).write_text("{}")
    newcomer = tiny.root / "experiments/waves/another.py"
    newcomer.write_text((tiny.root / SINE).read_text())
    registry = discover(tiny.project.experiments)
    assert list(registry.experiments) == ["waves.cosine", "waves.sine"]
    (problem,) = registry.problems
    assert problem.where == "experiments/waves/another.py"
