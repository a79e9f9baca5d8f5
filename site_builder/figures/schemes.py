"""Turns what was drawn in the light theme into what drawing in the dark theme gives, by exchanging colours.

A figure names no colour; it asks the theme for one by role or position. So every colour of a light drawing has one
counterpart. Opacity stays as it is. Where a colour has no counterpart or more than one (a picture in which colours
mix), nothing is exchanged and the figure is drawn a second time.
"""

import base64
import io
import re
from functools import cache

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from PIL import Image

from experiments.core.plotting.style import DARK, LIGHT, Theme, diverging, sequential, theme

_COLOUR = re.compile(r"((?:fill|stroke):)(#[0-9a-f]{6})")
_PICTURE = re.compile(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)")

Exchanged = tuple[str, str]
"""A light colour and its dark counterpart, as "#rrggbb"."""


def in_dark(svg: str) -> str | None:
    """Return the dark SVG for a light one made small, or None where a colour has not exactly one counterpart."""
    table = counterparts()
    if not {colour for _, colour in _COLOUR.findall(svg)} <= table.keys():
        return None
    pictures = {found: _dark_picture(base64.b64decode(found)) for found in set(_PICTURE.findall(svg))}
    if None in pictures.values():
        return None
    svg = _PICTURE.sub(lambda found: f"data:image/png;base64,{pictures[found[1]]}", svg)
    return _COLOUR.sub(lambda found: found[1] + table[found[2]], svg)


def colours_of(svg: str) -> list[Exchanged]:
    """Return the colours of a light SVG that have one counterpart, with it, pictures included."""
    found = {colour for _, colour in _COLOUR.findall(svg)}
    for picture in set(_PICTURE.findall(svg)):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA"))
        shown = np.unique(_codes(pixels)[pixels[..., 3] > 0])
        found |= {f"#{code:06x}" for code in shown.tolist()}
    return [(light, counterparts()[light]) for light in sorted(found) if light in counterparts()]


def dark_palette(palette: NDArray[np.uint8], colours: list[Exchanged]) -> NDArray[np.uint8]:
    """Return the dark counterpart of each colour (entry, RGB) of a small picture drawn in the light theme.

    At an edge two colours of the drawing mix; the counterparts mix in the same shares.
    """
    light, dark = (np.array([_rgb(pair[side]) for pair in colours], dtype=float) for side in (0, 1))
    found = np.empty_like(palette)
    for entry, colour in enumerate(palette.astype(float)):
        near = np.argsort(np.square(light - colour).sum(axis=1), kind="stable")[:12]
        found[entry] = _mixed(colour, light[near], dark[near])
    return found


def _mixed(colour: NDArray[np.float64], light: NDArray[np.float64], dark: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the mixture of two dark colours whose light counterparts mix to what is nearest to `colour`."""
    one, other = (grid.ravel() for grid in np.meshgrid(*[np.arange(len(light))] * 2, indexing="ij"))
    step = light[other] - light[one]
    length = np.square(step).sum(axis=1)
    share = np.clip(((colour - light[one]) * step).sum(axis=1) / np.where(length > 0, length, 1), 0, 1)[:, None]
    miss = np.square(light[one] + share * step - colour).sum(axis=1)
    best = int(np.argmin(miss.round(6)))
    mixed: NDArray[np.float64] = dark[one[best]] + share[best] * (dark[other[best]] - dark[one[best]])
    return np.round(mixed).astype(np.uint8)


@cache
def counterparts() -> dict[str, str]:
    """Return the dark counterpart of every colour that a light drawing can hold and that has only one.

    Neighbouring steps of a map may share a light colour; their dark ones are neighbours too, and the first is taken.
    """
    found: dict[str, str] = {}
    for own in _tables():
        clashing = {one for one in own if one in found and found[one] != own[one]}
        found = {one: other for one, other in (found | own).items() if one not in clashing}
    return found


@cache
def _tables() -> list[dict[str, str]]:
    """Return the counterparts of the colours with a name, and of those of each map."""
    groups = zip(_colours(LIGHT), _colours(DARK), strict=True)
    return [dict(zip(reversed(light), reversed(dark), strict=True)) for light, dark in groups]


def _colours(scheme: Theme) -> list[list[str]]:
    """Return the colours of a theme in groups whose order is the same for each: by name, and those of each map.

    Marks have the colours of a map rounded to whole steps of a channel, pictures have them cut off.
    """
    groups = [[*scheme.roles.values(), *scheme.series, *scheme.verdicts.values()]]
    with theme(scheme.name):
        for each in (sequential(), diverging()):
            cut_off = each(np.arange(256), bytes=True).tolist()
            groups.append([f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue, _ in cut_off])
            groups[-1] += [to_hex(each(step)) for step in range(256)]
    return groups


def _dark_picture(png: bytes) -> str | None:
    """Return the picture with its colours exchanged, in base 64, or None where one has no counterpart."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    codes = _codes(pixels)
    shown = np.unique(codes[pixels[..., 3] > 0])
    names = [f"#{code:06x}" for code in shown.tolist()]
    fitting = [[table[name] for name in names] for table in (counterparts(), *_tables()) if table.keys() >= set(names)]
    if not fitting or any(other != fitting[0] for other in fitting):
        return None
    exchanged = pixels.copy()
    place = np.clip(np.searchsorted(shown, codes), 0, max(0, len(shown) - 1))
    visible = pixels[..., 3] > 0
    exchanged[visible, :3] = np.array([_rgb(each) for each in fitting[0]], np.uint8)[place[visible]]
    file = io.BytesIO()
    Image.fromarray(exchanged).save(file, "png")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the colour of each pixel as one number, 0xrrggbb."""
    wide = pixels.astype(np.int64)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
