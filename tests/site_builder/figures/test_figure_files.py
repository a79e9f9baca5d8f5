"""Figure files are the same bytes each time, say where they come from, and show what was drawn."""

import base64
import io
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from experiments.core import plotting
from experiments.core.contract import FigureSpec
from experiments.core.errors import ReportError
from experiments.core.plotting.style import DARK, LIGHT
from site_builder.figures import figure_files
from site_builder.figures.provenance import read_provenance

PROVENANCE = {
    "figure": "sample",
    "title": "Loss (in bits) \\ 100 % – “so”",
    "experiment": "first_runs.sample",
    "run key": "a: b",
    "licence": "MIT",
    "url": "https://example.org/figures/sample.html",
}
KINDS = {"light.svg", "dark.svg", "light.small.png", "dark.small.png", "png", "pdf", "csv", "json"}


def sample(result):
    figure, (left, right) = plotting.new_figure(1, 2)
    plotting.band(left, [1, 2, 3], [0, 1, 2], [1, 2, 3], [2, 3, 4], label="found")
    left.set(xlabel="step", ylabel=r"loss $L$ (bits)")
    plotting.gram(right, np.eye(4), label="cosine")
    return figure


def spec(draw=sample, id="sample"):
    return FigureSpec(id, "A sample & more", "caption", "alt", "", draw)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The sample drawn twice."""
    folders = [tmp_path_factory.mktemp("figure") for _ in range(2)]
    return [(folder, *figure_files.draw(spec(), None, folder, PROVENANCE)) for folder in folders]


def test_drawing_again_gives_the_same_bytes(drawn):
    (one, files, digest), (other, again, same) = drawn
    assert (files, digest) == (again, same)
    assert set(files) == KINDS
    for file in files.values():
        assert (one / file.path).read_bytes() == (other / file.path).read_bytes()
        assert len((one / file.path).read_bytes()) == file.bytes


ELSEWHERE = """
import pathlib, runpy, sys
from site_builder.figures import figure_files
own = runpy.run_path(sys.argv[1])
figure_files.draw(own["spec"](), None, pathlib.Path(sys.argv[2]), own["PROVENANCE"])
"""


def test_another_process_with_another_hash_seed_gives_the_same_bytes(drawn, tmp_path):
    folder, files, _ = drawn[0]
    root = Path(__file__).parents[3]
    seeded = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", ELSEWHERE, __file__, str(tmp_path)], check=True, cwd=root, env=seeded)
    pairs = {kind: (folder / file.path, tmp_path / file.path) for kind, file in files.items()}
    differing = [kind for kind, (one, other) in pairs.items() if one.read_bytes() != other.read_bytes()]
    assert differing == []


@pytest.mark.parametrize("kind", ["light.svg", "dark.svg", "png", "pdf"])
def test_provenance_comes_back_out_of_the_file(drawn, kind):
    folder, files, _ = drawn[0]
    assert read_provenance(folder / files[kind].path) == PROVENANCE


def test_no_file_holds_a_time_or_names_anything_to_fetch(drawn):
    folder, files, _ = drawn[0]
    pdf = (folder / files["pdf"].path).read_bytes()
    assert b"CreationDate" not in pdf
    assert b"dc:date" not in (folder / files["light.svg"].path).read_bytes()
    svg = ElementTree.parse(folder / files["light.svg"].path).getroot()
    targets = [value for element in svg.iter() for name, value in element.attrib.items() if name.endswith("href")]
    assert targets
    assert all(target.startswith(("#", "data:")) for target in targets)


def test_the_pdf_embeds_its_fonts_as_truetype(drawn):
    folder, files, _ = drawn[0]
    pdf = (folder / files["pdf"].path).read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_fonts_in_the_pdf_hold_outlines_and_no_tables_of_kerning_or_ligatures(drawn):
    folder, files, _ = drawn[0]
    pdf = (folder / files["pdf"].path).read_bytes()
    streams = [
        zlib.decompress(each) for each in re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    ]
    fonts = [each for each in streams if each.startswith(b"\0\1\0\0")]
    assert fonts
    for font in fonts:
        tables = set(TTFont(io.BytesIO(font)).keys())
        assert "glyf" in tables
        assert not tables & {"GSUB", "GPOS", "GDEF"}


def test_the_png_has_300_dots_per_inch_on_white(drawn):
    folder, files, _ = drawn[0]
    with Image.open(folder / files["png"].path) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert image.width == 6.5 * 300
        assert image.getpixel((0, 0)) == (255, 255, 255)


def test_a_quick_run_has_no_pdf_and_a_picture_for_the_screen_that_says_so(drawn, tmp_path):
    folder, published, digest = drawn[0]
    files, same = figure_files.draw(spec(), None, tmp_path, PROVENANCE | {"scale": "quick"})
    assert set(files) == set(published) - {"pdf"}
    assert same == digest
    with Image.open(tmp_path / files["png"].path) as image:
        assert image.info["dpi"] == pytest.approx((120, 120), abs=0.02)
        assert image.width == 6.5 * 120
    assert read_provenance(tmp_path / files["png"].path)["scale"] == "quick"
    assert "scale" not in read_provenance(folder / published["png"].path)


def test_an_svg_is_drawn_in_its_own_theme_on_nothing(drawn):
    folder, files, _ = drawn[0]
    for theme, other, kind in ((LIGHT, DARK, "light.svg"), (DARK, LIGHT, "dark.svg")):
        text = (folder / files[kind].path).read_text()
        assert theme.ink in text
        assert other.ink not in text
        assert theme.background not in text


def test_an_svg_of_text_and_lines_is_small(drawn):
    assert drawn[0][1]["light.svg"].bytes < 40_000


def test_a_new_colour_changes_the_picture_and_not_the_digest(tmp_path):
    def in_tone(tone):
        def draw(result):
            figure, ax = plotting.new_figure()
            ax.plot([0, 1], [0, 1], color=tone)
            return figure

        folder = tmp_path / tone
        folder.mkdir()
        return figure_files.draw(spec(draw), None, folder, {})

    (red, red_digest), (blue, blue_digest) = in_tone("red"), in_tone("blue")
    assert red_digest == blue_digest
    assert red["light.svg"] != blue["light.svg"]


def scattered(count):
    def draw(result):
        figure, ax = plotting.new_figure()
        ax.scatter(*np.random.default_rng(0).normal(size=(2, count)), s=2)
        return figure

    return draw


def test_dense_marks_become_a_picture_and_stay_data(tmp_path):
    dense, _ = figure_files.draw(spec(scattered(20_000)), None, tmp_path, {})
    svg = (tmp_path / dense["light.svg"].path).read_text()
    (picture,) = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    assert Image.open(io.BytesIO(base64.b64decode(picture))).width > 600
    assert len(svg) < 150_000  # as 20,000 separate marks it would be ten times that
    assert len((tmp_path / dense["csv"].path).read_text().splitlines()) == 20_001


def failing(what):
    def draw(result):
        figure, ax = plotting.new_figure()
        ax.plot([0, 1], [0, np.nan if what == "nan" else 1])
        if what == "nan":
            ax.lines[0].set_data([np.nan], [np.nan])
        if what == "glyph":
            ax.set_title("\N{CJK UNIFIED IDEOGRAPH-4E00}")
        if what == "theme":
            ax.plot([0, 1], [0, plotting.current_theme().name == "dark"], color="red")  # no theme has it
        if what == "squeezed":
            figure.set_size_inches(0.3, 0.3)
        return None if what == "none" else figure

    return draw


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("none", "'sample' returned a NoneType"),
        ("nan", "'sample': the figure shows no data"),
        ("glyph", "'sample' cannot be drawn cleanly: Glyph 19968"),
        ("theme", "'sample' plots other data in the dark theme"),
        ("squeezed", "'sample' cannot be drawn cleanly: constrained_layout"),
    ],
)
def test_a_figure_that_cannot_be_published_is_one_sentence(tmp_path, what, words):
    with pytest.raises(ReportError, match=words) as caught:
        figure_files.draw(spec(failing(what)), None, tmp_path, {})
    assert "\n" not in str(caught.value)


def test_an_exception_of_the_figure_function_passes_through_and_the_style_is_undone(tmp_path):
    before = dict(mpl.rcParams)

    def draw(result):
        raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError, match="inside"):
        figure_files.draw(spec(draw), None, tmp_path, {})
    assert dict(mpl.rcParams) == before
