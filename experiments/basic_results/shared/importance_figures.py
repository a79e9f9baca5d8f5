"""Drawings of models whose features fall off in importance: the map, the biases, and what each feature has to share."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.basic_results.shared.importance_sweep import Picture
from experiments.core import plotting

Array = NDArray[np.float64]

GRAM_LIMIT = 1.3
NORM_LIMIT = 1.3

MAPS = 1.5
"""Height of a strip of maps, in that of the bars below them; maps keep square cells within it."""


def draw_pictures(strips: Mapping[str, tuple[Picture, Sequence[str]]], height: float) -> Figure:
    """Draw a strip of small multiples per entry: `W^T W` with the bias beside it, and below it the norms.

    Each entry names a strip and gives its models and what to write above each. All maps share one scale, and so do
    all bars. The models of a strip stand side by side in one panel, which draws many times faster than a panel each.
    """
    figure, axes = plotting.new_figure(
        2 * len(strips), 1, width="wide", height=height, height_ratios=[MAPS, 1.0] * len(strips)
    )
    for above, below, (name, (picture, titles)) in zip(axes[0::2], axes[1::2], strips.items(), strict=True):
        image = _maps(above, picture, titles)
        _bars(below, picture, titles)
        above.set_ylabel(name)
        _scale(above, image, "$W^TW$, $b$")
        _scale(below, ScalarMappable(Normalize(0, 1), _crowding()), "super-\nposition")
    return figure


def part_of(picture: Picture, row: slice) -> Picture:
    """Return some of the models of a picture."""
    return Picture(*(getattr(picture, field.name)[row] for field in fields(Picture)))


def _scale(ax: Axes, shades: AxesImage | ScalarMappable, label: str) -> None:
    """Put a thin colour bar at the right of a wide panel."""
    bar = ax.get_figure(root=True).colorbar(shades, cax=ax.inset_axes((1.01, 0.0, 0.011, 1.0)), label=label)  # type: ignore[union-attr]
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(2)
    bar.ax.tick_params(length=3)


def _layout(n: int) -> tuple[int, int, int]:
    """Return the width of the gap before the bias, of the bias, and from one model to the next, in features."""
    gap, bias = max(1, n // 20), max(1, n // 14)
    return gap, bias, n + gap + bias + max(2, n // 7)


def _maps(ax: Axes, picture: Picture, titles: Sequence[str]) -> AxesImage:
    """Draw `W^T W` of every model and, right of a gap, the bias of each row's output on the same scale."""
    n = picture.b.shape[1]
    gap, bias, step = _layout(n)
    canvas = np.full((n, len(titles) * step), np.nan)
    for k in range(len(titles)):
        canvas[:, k * step : k * step + n] = picture.gram[k]
        canvas[:, k * step + n + gap : k * step + n + gap + bias] = picture.b[k][:, None]
    image = plotting.gram(ax, canvas, limit=GRAM_LIMIT, colourbar=False)
    plotting.represents(image, _map_columns(picture, titles))
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="", aspect="equal", anchor="S")
    for k, title in enumerate(titles):
        ax.text(k * step + n / 2, -0.06 * n, title, ha="center", va="bottom", fontsize=9)
    return image


def _map_columns(picture: Picture, titles: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Return the plotted numbers in rows: model, output, input (0 for the bias), value."""
    n = picture.b.shape[1]
    model, output, source = np.meshgrid(np.arange(len(titles)), np.arange(1, n + 1), np.arange(n + 1), indexing="ij")
    value = np.concatenate([picture.b[:, :, None], picture.gram], axis=2)
    return {
        "model": np.array(titles)[model.ravel()],
        "output": output.ravel(),
        "input (0: bias)": source.ravel(),
        "value": value.ravel(),
    }


def _bars(ax: Axes, picture: Picture, titles: Sequence[str]) -> None:
    """Draw every feature's norm, most important first, coloured by its superposition (1 and more alike)."""
    n = picture.b.shape[1]
    step = _layout(n)[2]
    for k, title in enumerate(titles):
        tones = _crowding()(np.clip(picture.superposition[k], 0, 1))
        bars = ax.bar(k * step + np.arange(n), picture.norm[k], width=0.85 if n < 40 else 1.0, color=tones)
        for i, bar in enumerate(bars):
            bar.set_rasterized(n > 40)  # hundreds of outlines weigh more than their picture
            crowding = float(picture.superposition[k, i])
            columns = {"norm": [picture.norm[k, i]], "superposition": [crowding]}
            plotting.represents(bar, {"model": [title], "feature": [i + 1], **columns})
    ax.set(xlim=(-0.5, len(titles) * step - 0.5), ylim=(0, NORM_LIMIT), xticks=[], yticks=[0, 1], ylabel="norm")
    ax.spines["bottom"].set_visible(False)


def _crowding() -> ListedColormap:
    """Return the map for superposition: pale but visible at 0, dark from 1 on."""
    return ListedColormap(plotting.sequential()(np.linspace(0.28, 1.0, 256)), name="superposition")


def over_density(ax: Axes, density: Array, values: Array, *, label: str, index: int = 0, marker: str = "o") -> None:
    """Draw the median of `values` (density, seed) and the range that holds the middle 80 % of seeds."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=1)
    plotting.band(ax, density, low, middle, high, label=label, index=index, marker=marker)
