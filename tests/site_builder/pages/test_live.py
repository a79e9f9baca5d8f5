"""What the live toy model is told comes from plotted data: nothing else, nothing missing, rounded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.pages.live import live_data
from site_builder.store.records import FigureRecord, Report

TEXT = """
[recipe.plain]
steps = 3
[[preset]]
statement = "A1"
[panel.census]
figure = "starfish"
panel = 0
x = "x"
y = "share"
[panel.counted]
figure = "starfish"
panel = 0
x = "x"
y = "count"
series = ["kept"]
labels = ["kept there"]
[panel.elsewhere]
figure = "not-in-this-build"
panel = 0
x = "x"
y = "y"
"""

PLOTTED = json.dumps({
    "panels": [{"series": [
        {"label": "pentagon", "columns": {"x": ["0.2", "0.1"], "share": [1 / 3, None]}},
        {"label": "kept", "columns": {"x": [0.5, 0.25, 0.5], "y": [1, 2, 3]}},
    ]}]
})  # fmt: skip


@pytest.fixture
def figures(drawn_report: tuple[Report, Path]) -> dict[str, FigureRecord]:
    figure = drawn_report[0].figures["starfish"]
    run = replace(figure.run, config=figure.run.config | {"seeds": 256})
    return {"starfish": replace(figure, run=run, number=4, page="first_runs.html")}


def told(tmp_path: Path, text: str, figures: dict[str, FigureRecord]) -> str:
    (tmp_path / "live.toml").write_text(text, "utf-8")
    return live_data(tmp_path / "live.toml", figures, lambda figure: PLOTTED)


def test_panels_hold_the_plotted_numbers_and_where_they_stand(tmp_path: Path, figures) -> None:
    found = json.loads(told(tmp_path, TEXT, figures))
    assert found["recipes"] == {"plain": {"steps": 3}}
    assert found["presets"] == [{"statement": "A1"}]
    assert found["panels"]["census"] == {
        "figure": "starfish", "number": 4, "page": "first_runs.html", "seeds": 256,
        "series": [{"label": "pentagon", "x": [0.2, 0.1], "y": [0.333333, None]}],
    }  # fmt: skip


def test_rows_are_counted_and_series_renamed_where_asked(tmp_path: Path, figures) -> None:
    found = json.loads(told(tmp_path, TEXT, figures))
    assert found["panels"]["counted"]["series"] == [{"label": "kept there", "x": [0.25, 0.5], "y": [1, 2]}]


def test_a_figure_that_this_build_lacks_is_left_out(tmp_path: Path, figures) -> None:
    assert "elsewhere" not in json.loads(told(tmp_path, TEXT, figures))["panels"]
    assert json.loads(told(tmp_path, TEXT, {}))["panels"] == {}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [('series = ["kept"]', 'series = ["lost"]'), ("panel = 0", "panel = 3"), ('"share"', '"height"')],
)
def test_what_a_figure_does_not_have_is_named(tmp_path: Path, figures, right: str, wrong: str) -> None:
    with pytest.raises(ReportError, match=r"docs/live\.toml: panel '(census|counted)'"):
        told(tmp_path, TEXT.replace(right, wrong), figures)


def test_a_file_that_cannot_be_read_is_named_and_none_is_nothing(tmp_path: Path, figures) -> None:
    with pytest.raises(ReportError, match=r"docs/live\.toml cannot be read"):
        told(tmp_path, "[", figures)
    assert live_data(tmp_path / "absent.toml", figures, lambda figure: PLOTTED) == ""
