"""A dark figure made from the light one by exchanging colours is the one that drawing in the dark theme gives."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from experiments.core import plotting
from experiments.core.contract import FigureSpec
from experiments.core.plotting.style import DARK, LIGHT
from site_builder.figures import figure_files
from site_builder.figures.schemes import colours_of, dark_palette, in_dark


def lines(result):
    figure, ax = plotting.new_figure()
    for index in range(6):
        plotting.band(ax, [1, 2, 3], [0, 1, index], [1, 2, index + 1], [2, 3, index + 2], label=f"{index}", index=index)
    for tone in plotting.ramp(5):
        ax.plot([1, 3], [0, 1], color=tone, alpha=0.5)
    plotting.legend(ax)
    return figure


def signed_map(result):
    figure, (left, right) = plotting.new_figure(1, 2)
    plotting.gram(left, np.linspace(-1, 1, 400).reshape(20, 20), label="cosine")
    plotting.heat(right, np.arange(60), np.arange(60), np.linspace(-1, 1, 3600).reshape(60, 60), signed=True)
    return figure


def amounts(result):
    figure, ax = plotting.new_figure()
    shown = ax.imshow(np.linspace(0, 1, 256).reshape(16, 16), cmap=plotting.sequential())
    plotting.colour_scale(shown, [ax], label="share")
    return figure


def two_clouds(result):
    figure, ax = plotting.new_figure()
    for index in range(2):
        ax.scatter(*np.random.default_rng(index).normal(size=(2, 5000)), color=plotting.series(index), alpha=0.4)
    return figure


def of_no_theme(result):
    figure, ax = plotting.new_figure()
    ax.plot([0, 1], [0, 1], color="red")
    return figure


def in_both_ways(draw, folder):
    """Return the light SVG, and the dark one and its thumbnail as drawing in the dark theme gives them."""
    spec = FigureSpec("sample", "A sample", "caption", "alt", "", draw)
    files, digest = figure_files.draw(spec, None, folder, {})
    with figure_files._drawn(spec, None, "light") as figure:
        places = [ax.get_position(original=True) for ax in figure.axes]
    svg, small = figure_files._drawn_again(spec, None, places, digest, {})
    texts = [(folder / files[kind].path).read_text("utf-8") for kind in ("light.svg", "dark.svg")]
    return *texts, svg, Image.open(folder / files["dark.small.png"].path).convert("RGBA"), small.convert("RGBA")


STEP = 3
"""Most that a channel differs between neighbouring steps of a map, which may have one light colour."""


@pytest.mark.parametrize("draw", [lines, signed_map, amounts, of_no_theme, two_clouds])
def test_the_dark_files_are_what_a_dark_drawing_gives(draw, tmp_path):
    _, dark, drawn, small, drawn_small = in_both_ways(draw, tmp_path)
    assert COLOUR.sub("", without_pictures(dark)) == COLOUR.sub("", without_pictures(drawn))
    here, there = (np.array([rgb(each) for each in COLOUR.findall(text)]) for text in (dark, drawn))
    assert np.abs(here - there).max() <= STEP
    assert np.abs(pixels_of(dark) - pixels_of(drawn)).max() <= STEP
    assert small.size == drawn_small.size
    assert np.abs(on(DARK, small) - on(DARK, drawn_small)).mean() < 2 * STEP  # 48 colours for a whole map


@pytest.mark.parametrize("draw", [of_no_theme, two_clouds])
def test_what_has_no_single_counterpart_is_drawn_again(draw, tmp_path):
    light, *_ = in_both_ways(draw, tmp_path)
    assert in_dark(light) is None


def test_at_an_edge_the_dark_colours_mix_as_the_light_ones_do():
    colours = [(LIGHT.series[0], DARK.series[0]), (LIGHT.series[1], DARK.series[1]), (LIGHT.ink, DARK.ink)]
    light, dark = (np.array([rgb(pair[side]) for pair in colours], float) for side in (0, 1))
    palette = np.array([light[0], 0.25 * light[0] + 0.75 * light[1]]).round().astype(np.uint8)
    found = dark_palette(palette, colours)
    assert found[0].tolist() == dark[0].tolist()
    assert found[1] == pytest.approx(0.25 * dark[0] + 0.75 * dark[1], abs=2)


def test_the_colours_of_a_figure_are_those_of_its_marks_and_of_its_pictures(tmp_path):
    found = dict(colours_of(in_both_ways(amounts, tmp_path)[0]))
    assert found[LIGHT.ink] == DARK.ink
    assert found[LIGHT.sequential[-1]] == DARK.sequential[-1]


def rgb(colour):
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


PICTURE = re.compile(r"data:image/png;base64,([^\"]+)")


COLOUR = re.compile(r"(?<=:)#[0-9a-f]{6}")


def without_pictures(svg):
    return PICTURE.sub("", svg)


def pixels_of(svg):
    """Return all channels of all pictures; what is transparent has no colour."""
    files = [io.BytesIO(base64.b64decode(found)) for found in PICTURE.findall(svg)]
    pictures = [np.asarray(Image.open(file).convert("RGBA")) for file in files]
    return np.concatenate([[0], *((picture * (picture[..., 3:] > 0)).ravel() for picture in pictures)]).astype(int)


def on(theme, picture):
    page = Image.new("RGBA", picture.size, theme.background)
    return np.asarray(Image.alpha_composite(page, picture)).astype(float)
