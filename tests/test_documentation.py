"""What the pages tell a newcomer to do works as it is printed."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from site_builder.figures import figure_files
from site_builder.pages.declared import declared_names, unknown_names
from site_builder.pages.macros import Macros

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example of the page "Add an experiment", imported as it is printed."""
    path = tmp_path_factory.mktemp("documentation") / "rare_features.py"
    path.write_text(printed_example(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("experiments.first_runs.rare_features", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def printed_example() -> str:
    page = (ROOT / "docs" / "add_an_experiment.md").read_text(encoding="utf-8")
    return re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)


def test_the_example_experiment_trains_and_repeats_itself(example):
    first, second = (example.run(example.experiment.quick, "cpu") for _ in range(2))
    np.testing.assert_array_equal(first.kept, second.kept)
    assert first.kept.shape == (3, 12)
    assert first.kept[-1].mean() > first.kept[0].mean(), "rarer features: more are kept"


def test_the_example_claim_is_decided_by_its_criterion(example):
    claim = example.experiment.claims["rare-features-kept"]
    found = example.Numbers(example.mean(np.linspace(4.5, 5.0, 9)))
    measured = claim.decide(example.Result(np.ones(1), np.ones((1, 9)), found))
    assert claim.criterion.verdict(Evidence(kept=measured)) is Verdict.SUPPORTED
    assert claim.criterion.sentence.startswith("Supported if the interval lies above 4;")


def test_the_example_figure_is_drawn_in_every_format(example, tmp_path):
    spec = example.experiment.figures["rare-features"]
    files, _ = figure_files.draw(spec, example.run(example.experiment.quick, "cpu"), tmp_path, {})
    assert {"light.svg", "dark.svg", "png", "pdf", "csv", "json"} <= set(files)


def test_the_example_names_only_numbers_that_its_result_declares(example):
    names = declared_names(example.experiment, example.Config())
    for spec in example.experiment.figures.values():
        assert unknown_names(spec.caption, names) == unknown_names(spec.alt, names) == []


def test_the_example_passes_strict_typing(tmp_path):
    path = tmp_path / "rare_features.py"
    path.write_text(printed_example(), encoding="utf-8")
    call = [sys.executable, "-m", "mypy", "--follow-imports=silent", str(path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_page_lists_every_macro():
    page = (ROOT / "docs" / "add_an_experiment.md").read_text(encoding="utf-8")
    macros = {name for name in vars(Macros) if not name.startswith("_") and name != "all"}
    assert {name for name in macros if f"{name}(" not in page} == set()


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"report", "test"} <= named <= targets


def pages_of_the_navigation() -> dict[str, str]:
    """Return the title that `mkdocs.yml` gives each Markdown page."""
    lines = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r' +- "?(.+?)"?: ([a-z_]+\.md)', line) for line in lines)
    return {match[2]: match[1] for match in found if match}


@pytest.mark.parametrize(("page", "title"), sorted(pages_of_the_navigation().items()))
def test_a_page_has_one_name(page, title):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
    metadata = re.search(r'^title: "?(.+?)"?$', text.split("\n# ")[0], re.MULTILINE)
    if page == "index.md":  # the site's name stands over every page; its first page says what it is
        return
    assert heading == title
    assert metadata is None or metadata[1] == title


def test_the_overview_links_every_page_of_experiments_in_their_order():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    section = re.search(r"  - Experiments:\n(.*?)\n  - Claims", config, re.DOTALL)[1]
    listed = [name for name in re.findall(r": ([a-z_]+\.md)", section) if name != "experiments.md"]
    overview = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    linked = re.findall(r"^- \[(.+?)\]\(([a-z_]+\.md)\)", overview, re.MULTILINE)
    assert [page for _, page in linked] == listed
    assert {page: title for title, page in linked} == {page: pages_of_the_navigation()[page] for page in listed}
