"""The tables of a figure's data: each panel has one, in the words of its axes, and says what it leaves out."""

import json
from typing import Any

import pytest

from site_builder.pages.data_tables import ROWS, data_tables
from site_builder.pages.filters import figure_words


def panel(*series: dict[str, Any], **words: str) -> dict[str, Any]:
    return {"title": "", "x": "", "y": "", "value": "", "series": list(series)} | words


def series(label: str = "", **columns: list[Any]) -> dict[str, Any]:
    return {"label": label, "kind": "line", "columns": columns}


def tables(*panels: dict[str, Any]) -> list[Any]:
    return data_tables(json.dumps({"figure": "any", "panels": panels}))


def test_headings_are_the_words_of_the_axes_and_each_series_is_named() -> None:
    measured = series("measured", x=[1, 2], y=[0.5, -0.123456], y_low=[0.4, None])
    (table,) = tables(panel(measured, series("theory", x=[1], y=[0.5]), x="density\n$p$", y="loss"))
    assert table.headings == ("series", "density $p$", "loss", "loss, from")
    assert table.rows == (("measured", "1", "0.5", "0.4"), ("measured", "2", "−0.1235", ""), ("theory", "1", "0.5", ""))


def test_names_of_ticks_stand_in_place_of_their_positions() -> None:
    (table,) = tables(panel(series(x=[0.0, 1.0], x_name=["digon", "square"], height=[3, 4])))
    assert table.headings == ("x", "height")
    assert table.rows == (("digon", "3"), ("square", "4"))


def test_a_panel_without_data_has_no_table() -> None:
    assert len(tables(panel(), panel(series(x=[], y=[])), panel(series(x=[1])))) == 1


@pytest.mark.parametrize("lengths", [[10_000], [3, 5_000, 40], [1] * ROWS, [700] * 50])
def test_many_rows_are_cut_short_so_that_every_series_keeps_some(lengths: list[int]) -> None:
    (table,) = tables(panel(*(series(f"s{place}", x=list(range(n))) for place, n in enumerate(lengths))))
    assert {row[0] for row in table.rows} == {f"s{place}" for place in range(len(lengths))}
    assert 0.8 * ROWS < len(table.rows) <= ROWS
    assert table.most == sum(lengths)


def test_small_numbers_keep_their_power() -> None:
    (table,) = tables(panel(series(x=[1.5e-07])))
    assert table.rows == (("1.5e−7",),)


def test_words_of_a_figure_are_plain_but_for_formulas() -> None:
    assert str(figure_words("a_b <i> **c**")) == "a&#95;b &#60;i&#62; &#42;&#42;c&#42;&#42;"
    assert str(figure_words("size $d$, fixed")).startswith("size <math")
    assert str(figure_words("$\\unknowncommand$")) == "&#92;unknowncommand"
