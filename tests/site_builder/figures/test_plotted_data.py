"""What is read off a figure is what was drawn on it, for every kind of artist; nothing is left out in silence."""

import csv
import json

import numpy as np
import pytest
from matplotlib.patches import Circle, Rectangle

from experiments.core import plotting
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.figures.plotted_data import digest, extract, to_csv, to_json

X, Y = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.3, -0.2])
GRID = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, np.nan]])


def only_series(draw):
    figure, ax = plotting.new_figure()
    draw(ax)
    ((series,),) = [panel.series for panel in extract(figure)]
    return series


def check(series, kind, **columns):
    assert series.kind == kind
    assert list(series.columns) == list(columns)
    for name, expected in columns.items():
        found = series.columns[name]
        if found.dtype.kind in "UO":
            assert found.tolist() == list(expected)
        else:
            np.testing.assert_allclose(found, np.ravel(np.asarray(expected, dtype=float)), rtol=1e-12)


CASES = {
    "line": (lambda ax: ax.plot(X, Y), "line", {"x": X, "y": Y}),
    "line over names": (lambda ax: ax.plot(["a", "b", "c"], Y), "line", {"x": ["a", "b", "c"], "y": Y}),
    "line on log axes": (lambda ax: ax.loglog(X, X**2), "line", {"x": X, "y": X**2}),
    "level": (lambda ax: ax.axhline(0.25), "line", {"y": [0.25]}),
    "upright": (lambda ax: ax.axvline(0.25), "line", {"x": [0.25]}),
    "straight": (lambda ax: ax.axline((0, 1), slope=2), "line", {"x": [0], "y": [1], "slope": [2]}),
    "straight through": (lambda ax: ax.axline((0, 1), (2, 5)), "line", {"x": [0, 2], "y": [1, 5]}),
    "points": (lambda ax: ax.scatter(X, Y), "points", {"x": X, "y": Y}),
    "coloured points": (lambda ax: ax.scatter(X, Y, c=[7, 8, 9]), "points", {"x": X, "y": Y, "value": [7, 8, 9]}),
    "sized points": (lambda ax: ax.scatter(X, Y, s=[1, 4, 9]), "points", {"x": X, "y": Y, "size": [1, 4, 9]}),
    "image": (
        lambda ax: ax.imshow(GRID),
        "image",
        {"x": [0, 1, 2] * 2, "y": [0] * 3 + [1] * 3, "value": GRID},
    ),
    "image the right way up": (
        lambda ax: ax.imshow(GRID, origin="lower", extent=(0, 3, 10, 14)),
        "image",
        {"x": [0.5, 1.5, 2.5] * 2, "y": [11] * 3 + [13] * 3, "value": GRID},
    ),
    "image upside down": (
        lambda ax: ax.imshow(GRID, origin="upper", extent=(0, 3, 10, 14)),
        "image",
        {"x": [0.5, 1.5, 2.5] * 2, "y": [13] * 3 + [11] * 3, "value": GRID},
    ),
    "mesh": (
        lambda ax: ax.pcolormesh([0, 1, 10], [5, 6], [[3.0, 4.0]]),
        "mesh",
        {"x_low": [0, 1], "x_high": [1, 10], "y_low": [5, 5], "y_high": [6, 6], "value": [3, 4]},
    ),
    "bars": (lambda ax: ax.bar(X, Y, bottom=1), "bars", {"x": X, "base": [1, 1, 1], "height": Y}),
    "bars over names": (
        lambda ax: (ax.bar([0, 1], [2, 3]), ax.set_xticks([0, 1], ["pair", "pentagon"])),
        "bars",
        {"x": [0, 1], "base": [0, 0], "height": [2, 3], "x_name": ["pair", "pentagon"]},
    ),
    "bars of categories": (
        lambda ax: ax.bar(["pair", "pentagon"], [2, 3]),
        "bars",
        {"x": [0, 1], "base": [0, 0], "height": [2, 3], "x_name": ["pair", "pentagon"]},
    ),
    "line over numbered ticks": (
        lambda ax: (ax.plot([0.01, 1], [2, 3]), plotting.density_axis(ax, ticks=[0.01, 1]), plotting.percent_axis(ax)),
        "line",
        {"x": [0.01, 1], "y": [2, 3]},
    ),
    "lying bars": (lambda ax: ax.barh(X, Y), "bars", {"y": X, "base": [0, 0, 0], "width": Y}),
    "histogram": (
        lambda ax: ax.hist([0.1, 0.2, 0.9], bins=2, range=(0, 1)),
        "bars",
        {"x": [0.25, 0.75], "base": [0, 0], "height": [2, 1]},
    ),
    "band": (lambda ax: ax.fill_between(X, Y - 1, Y + 2), "band", {"x": X, "low": Y - 1, "high": Y + 2}),
    "lying band": (lambda ax: ax.fill_betweenx(X, Y - 1, Y), "band", {"y": X, "low": Y - 1, "high": Y}),
    "broken band": (
        lambda ax: ax.fill_between([1, 2, 3, 4, 5], 0, [1, 2, 3, 4, 5], where=[True, True, False, True, True]),
        "band",
        {"x": [1, 2, 4, 5], "low": [0] * 4, "high": [1, 2, 4, 5]},
    ),
    "steps": (lambda ax: ax.stairs([3, 4], [0, 1, 5]), "steps", {"from": [0, 1], "to": [1, 5], "value": [3, 4]}),
    "arrows": (
        lambda ax: ax.quiver(X, Y, [1, 2, 3], [4, 5, 6]),
        "arrows",
        {"x": X, "y": Y, "u": [1, 2, 3], "v": [4, 5, 6]},
    ),
    "segments": (
        lambda ax: ax.vlines([1, 2], 0, [3, 4]),
        "segments",
        {"segment": [0, 0, 1, 1], "x": [1, 1, 2, 2], "y": [0, 3, 0, 4]},
    ),
    "error bars": (
        lambda ax: ax.errorbar(X, Y, yerr=[[0.1] * 3, [0.2] * 3], fmt="o"),
        "errors",
        {"x": X, "y": Y, "y_low": Y - 0.1, "y_high": Y + 0.2},
    ),
    "error bars both ways": (
        lambda ax: ax.errorbar(X, Y, xerr=0.5, yerr=0.1, capsize=3),
        "errors",
        {"x": X, "y": Y, "x_low": X - 0.5, "x_high": X + 0.5, "y_low": Y - 0.1, "y_high": Y + 0.1},
    ),
    "shaded range": (lambda ax: ax.axvspan(2, 3), "span", {"x_low": [2], "x_high": [3]}),
    "shaded level": (lambda ax: ax.axhspan(2, 3), "span", {"y_low": [2], "y_high": [3]}),
    "box": (
        lambda ax: ax.add_patch(Rectangle((1, 2), 3, 4)),
        "span",
        {"x_low": [1], "x_high": [4], "y_low": [2], "y_high": [6]},
    ),
    "our directions": (
        lambda ax: plotting.directions(ax, [[1.0, 0.0], [0.0, -2.0]]),
        "arrows",
        {"feature": [0, 1], "W_1": [1, 0], "W_2": [0, -2], "norm": [1, 2]},
    ),
    "our band": (
        lambda ax: plotting.band(ax, X, Y - 1, Y, Y + 1),
        "line",
        {"x": X, "y": Y, "low": Y - 1, "high": Y + 1},
    ),
    "our null": (
        lambda ax: plotting.null_band(ax, X, Y - 1, Y + 1, mid=Y),
        "band",
        {"x": X, "low": Y - 1, "high": Y + 1, "mid": Y},
    ),
    "our strip": (
        lambda ax: plotting.distribution_strip(ax, {"seeds": [3.0, 1.0, 2.0]}),
        "points",
        {"group": ["seeds"] * 3, "value": [1, 2, 3]},
    ),
    "our heat map": (
        lambda ax: plotting.heat(ax, [1, 2, 3], [5, 6], GRID),
        "mesh",
        {"x": [1, 2, 3] * 2, "y": [5] * 3 + [6] * 3, "value": GRID},
    ),
    "our points": (
        lambda ax: plotting.points(ax, [1.0], [Quantity(0.5, 0.25, 1.0)]),
        "errors",
        {"x": [1], "y": [0.5], "y_low": [0.25], "y_high": [1]},
    ),
    "our shares": (
        lambda ax: plotting.stacked_shares(ax, ["a", "b"], {"all": [1.0, 0.5]}),
        "bars",
        {"x": ["a", "b"], "share": [1, 0.5]},
    ),
    "our theory": (lambda ax: plotting.theory_level(ax, 0.5), "line", {"y": [0.5]}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_artist_gives_back_its_numbers(case):
    draw, kind, columns = CASES[case]
    check(only_series(draw), kind, **columns)


def test_contours_keep_their_levels():
    x = np.linspace(-1, 1, 41)
    series = only_series(lambda ax: ax.contour(x, x, x[:, None] ** 2 + x**2, levels=[0.25]))
    np.testing.assert_allclose(np.hypot(series.columns["x"], series.columns["y"]), 0.5, atol=2e-3)
    assert set(series.columns["level"]) == {0.25}


def test_a_panel_says_what_its_numbers_are():
    figure, (left, right) = plotting.new_figure(1, 2)
    left.plot(X, Y, label="found")
    left.set(title="", xlabel="p", ylabel="loss (bits)")
    left.set_title("Over p", loc="left")
    plotting.gram(right, np.eye(3), label="cosine")
    plotting.panel_letters([left, right])
    first, second = extract(figure)
    assert (first.title, first.x, first.y, first.series[0].label) == ("Over p", "p", "loss (bits)", "found")
    assert (second.x, second.value) == ("feature", "cosine")


def test_colour_bars_of_several_panels_are_no_panel():
    figure, axes = plotting.new_figure(1, 2)
    images = [plotting.gram(ax, np.eye(2), limit=1, colourbar=False) for ax in axes]
    plotting.colour_scale(images[0], axes, label="cosine")
    assert [panel.value for panel in extract(figure)] == ["cosine", ""]


def test_an_inset_is_a_panel():
    figure, ax = plotting.new_figure()
    ax.plot(X, Y)
    ax.inset_axes((0.5, 0.5, 0.4, 0.4)).plot(Y, X)
    _, inset = extract(figure)
    check(inset.series[0], "line", x=Y, y=X)


def test_decorations_and_what_is_not_shown_are_no_data():
    figure, ax = plotting.new_figure()
    ax.plot(X, Y)
    plotting.guide(ax, 0.0)
    plotting.decoration(ax.add_patch(Circle((0, 0), 1)))
    ax.plot(X, X, visible=False)
    ax.annotate("here", (1, 1), xytext=(2, 2), arrowprops={"arrowstyle": "-"})
    ax.legend(["found"])
    assert len(extract(figure)[0].series) == 1


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda ax: ax.add_patch(Circle((0, 0), 1, label="unit")), r"Circle \(unit\).*plotting\.decoration"),
        (lambda ax: ax.imshow(np.zeros((2, 2, 3))), "shows colours, not numbers"),
        (lambda ax: (ax.plot([0, 1], [0, 1], transform=ax.transAxes), ax.set(xlim=(2, 5))), "not in data coordinates"),
        (lambda ax: ax.vlines([1], 0, 1, transform=ax.get_xaxis_transform()), "half in data coordinates"),
        (lambda ax: ax.plot([0.0], [np.nan]), "shows no data"),
        (lambda ax: None, "shows no data"),
        (lambda ax: ax.figure.add_artist(Rectangle((0, 0), 1, 1)), "outside any axes"),
    ],
    ids=["circle", "photograph", "axes coordinates", "half", "only nan", "empty", "on the figure"],
)
def test_what_cannot_be_read_is_an_error_that_names_it(draw, words):
    figure, ax = plotting.new_figure()
    draw(ax)
    with pytest.raises(ReportError, match=words):
        extract(figure)


def panels_of(y, label="found", **style):
    figure, ax = plotting.new_figure()
    ax.plot(X, y, label=label, **style)
    return extract(figure)


def test_the_digest_depends_on_data_and_words_but_not_on_looks():
    reference = digest("a", panels_of(Y))
    assert digest("a", panels_of(Y, color="red", linewidth=7, marker="o")) == reference
    assert digest("a", panels_of(Y * (1 + 1e-12))) == reference
    others = [digest("b", panels_of(Y)), digest("a", panels_of(Y * 1.001)), digest("a", panels_of(Y, label="best"))]
    assert len({reference, *others}) == 4


def test_csv_gives_back_exactly_what_was_plotted():
    values = np.random.default_rng(1).normal(size=3)
    rows = list(csv.DictReader(to_csv(panels_of(values, label='a "quoted", name')).splitlines()))
    assert [float(row["y"]) for row in rows] == values.tolist()
    assert {row["series"] for row in rows} == {'a "quoted", name'}
    assert {(row["panel"], row["kind"]) for row in rows} == {("1", "line")}


def test_json_gives_back_exactly_what_was_plotted_and_null_for_gaps():
    values = np.array([0.1, np.nan, 1 / 3])
    loaded = json.loads(to_json("a", panels_of(values)))
    assert loaded["figure"] == "a"
    assert loaded["panels"][0]["series"][0]["columns"] == {"x": X.tolist(), "y": [0.1, None, 1 / 3]}
