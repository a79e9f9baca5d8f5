"""What the pages tell a newcomer to do works as it is printed."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.core.contract import Verdict
from site_builder.figures import figure_files

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def coin(tmp_path_factory):
    """The example of the page "Add an experiment", imported as it is printed."""
    page = (ROOT / "docs" / "add_an_experiment.md").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("documentation") / "coin.py"
    path.write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("experiments.first_runs.coin", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_example_experiment_runs_and_repeats_itself(coin):
    first, second = (coin.run(coin.Config(), "cpu") for _ in range(2))
    np.testing.assert_array_equal(first.shares, second.shares)
    assert len(first.shares) == coin.Config().seeds


def test_the_example_claim_is_decided_by_its_criterion(coin):
    assert coin.decide(coin.run(coin.Config(), "cpu")).verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
    skewed = coin.Result(np.full(9, 0.9), coin.mean(np.linspace(0.8, 0.9, 9)))
    assert coin.decide(skewed).verdict is Verdict.REFUTED


def test_the_example_figure_is_drawn_in_every_format(coin, tmp_path):
    spec = coin.experiment.figures["coin-shares"]
    files, _ = figure_files.draw(spec, coin.run(coin.experiment.quick, "cpu"), tmp_path, {})
    assert {"light.svg", "dark.svg", "png", "pdf", "csv", "json"} <= set(files)


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"report", "test"} <= named <= targets
