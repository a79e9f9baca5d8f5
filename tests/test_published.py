"""What is published with the source is what the source computes."""

from pathlib import Path

import pytest

from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import discover
from site_builder.published.results import code_part, load, unpacked
from site_builder.results.runs import key_of, sources_of

PROJECT = Project(Path(__file__).parents[1])
PUBLISHED = load(PROJECT)

nothing = not PUBLISHED.runs and not PUBLISHED.problems
pytestmark = pytest.mark.skipif(nothing, reason="no results are published yet: experiments/published is empty")

LARGEST = 8_000_000
"""Bytes that all published results may take in the repository."""


def test_every_published_result_is_whole() -> None:
    assert PUBLISHED.problems == ()
    for id, published in PUBLISHED.runs.items():
        assert (unpacked(PROJECT, id, published) / "result.json").is_file()


def test_every_experiment_is_published_and_no_result_is_older_than_its_code() -> None:
    registry, sources = discover(PROJECT.experiments), sources_of(PROJECT)
    assert registry.experiments.keys() == PUBLISHED.runs.keys()
    stale = [
        id
        for id, experiment in registry.experiments.items()
        if code_part(key_of(PROJECT, sources, experiment, Options("full", "cpu")).parts) != PUBLISHED.runs[id].code
    ]
    assert stale == [], "run `make report` and publish the results with `python -m site_builder ship`"


def test_published_results_are_small() -> None:
    assert sum(path.stat().st_size for path in PROJECT.published.iterdir()) < LARGEST
