"""Colours hold for readers with colour deficiencies, on both backgrounds; the style is one and leaves no trace."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from experiments.core import plotting
from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.plotting.style import DARK, LIGHT

THEMES = pytest.mark.parametrize("active", [LIGHT, DARK], ids=lambda theme: theme.name)

# What is left of linear sRGB for readers without one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
SEEN = pytest.mark.parametrize("vision", VISION)


def linear(colour) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other) -> float:
    """Contrast ratio of WCAG 2."""
    low, high = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour, vision: str) -> np.ndarray:
    """CIE Lab (D65) of a colour as seen with `vision`."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    seen = np.clip(np.array(VISION[vision]) @ linear(colour), 0, 1)
    ratio = np.array(to_xyz) @ seen / [0.95047, 1.0, 1.08883]
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Colour difference CIEDE2000 (Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    light, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360
    waves = ((0.17, 1, 30), (-0.24, 2, 0), (-0.32, 3, -6), (0.2, 4, 63))
    t = 1 - sum(size * np.cos(np.radians(times * hue - shift)) for size, times, shift in waves)
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    cross = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + cross * dc / sc * dh / sh))


def test_the_oracle_gives_published_colour_differences():
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ]
    for one, other, difference in pairs:
        assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


@THEMES
@SEEN
def test_any_two_series_can_be_told_apart(active, vision):
    seen = [lab(colour, vision) for colour in active.series]
    assert min(itertools.starmap(ciede2000, itertools.combinations(seen, 2))) > 13


@THEMES
@SEEN
def test_any_two_verdicts_can_be_told_apart(active, vision):
    assert set(active.verdicts) == set(Verdict)
    seen = [lab(colour, vision) for colour in active.verdicts.values()]
    assert min(itertools.starmap(ciede2000, itertools.combinations(seen, 2))) > 13


@THEMES
def test_marks_stand_out_from_the_background_and_text_can_be_read(active):
    marks = [*active.series, *active.verdicts.values()]
    assert min(contrast(colour, active.background) for colour in marks) >= 3
    assert min(contrast(colour, active.background) for colour in (active.ink, active.muted)) >= 4.5


@THEMES
def test_lines_of_an_ordered_family_stand_out_too(active):
    with plotting.theme(active.name):
        assert min(contrast(colour, active.background) for colour in plotting.ramp(8)) >= 3


@THEMES
@SEEN
def test_more_is_further_from_the_page_in_the_map_of_amounts(active, vision):
    with plotting.theme(active.name):
        lightness = np.array([lab(plotting.sequential()(x)[:3], vision)[0] for x in np.linspace(0, 1, 64)])
    steps = np.diff(lightness) * (-1 if active is LIGHT else 1)
    assert steps.min() > 0


@THEMES
@SEEN
def test_signs_can_be_told_apart_in_the_signed_map(active, vision):
    with plotting.theme(active.name):
        signed = plotting.diverging()
        for size in (0.2, 0.3, 0.4):
            assert ciede2000(lab(signed(0.5 - size)[:3], vision), lab(signed(0.5 + size)[:3], vision)) > 13


@THEMES
def test_zero_looks_like_the_page_in_both_maps(active):
    with plotting.theme(active.name):
        assert contrast(plotting.sequential()(0.0)[:3], active.background) < 1.3
        assert contrast(plotting.diverging()(0.5)[:3], active.background) < 1.3


def test_a_theme_is_over_after_its_block():
    before = dict(mpl.rcParams)
    with plotting.theme("dark"):
        assert plotting.colour("ink") == DARK.ink
    assert plotting.colour("ink") == LIGHT.ink
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: plotting.colour("acent"), "did you mean 'accent'"),
        (lambda: plotting.series(6), "6 series"),
        (lambda: plotting.theme("drak").__enter__(), "did you mean 'dark'"),
    ],
)
def test_a_wrong_name_is_told_the_nearest(ask, words):
    with pytest.raises(ReportError, match=words):
        ask()


def test_a_signed_scale_is_symmetric_over_all_panels():
    scale = plotting.centred([[-3.0, 1.0]], [2.0, np.nan])
    assert (scale.vmin, scale.vmax) == (-3.0, 3.0)
    assert plotting.centred([0.0]).vmax == 1.0


def test_a_figure_is_made_outside_pyplot():
    figure, axes = plotting.new_figure(2, 3, sharey=True)
    assert type(figure) is Figure
    assert axes.shape == (2, 3)
    assert not hasattr(figure, "number")
