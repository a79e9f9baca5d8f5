"""House style and shared artists for every figure of the report.

A figure function takes a result, makes axes with `new_figure`, hands each Axes to a shared artist and returns
the Figure. It names no colour, sets no font, saves nothing::

    from experiments.core import plotting

    @experiment.figure("loss-over-p", title=..., caption=..., alt=..., interval="...")
    def draw(result: Result) -> Figure:
        figure, (left, right) = plotting.new_figure(1, 2, width="wide", sharey=True)
        plotting.band(left, result.p, result.low, result.median, result.high, label="training")
        plotting.theory_line(left, result.p, result.closed_form)
        plotting.density_axis(left)
        left.set_ylabel("loss (mean squared error per feature)")
        ...
        plotting.legend(left, figure=figure)
        return figure

Making figures (`style`)
    `new_figure(rows, columns, *, width="text"|"wide", height=None, panel="landscape"|"square", sharex, sharey)`
        returns (Figure, axes) as `pyplot.subplots` would, without pyplot.
    `theme("light"|"dark")`: context in which colours are looked up; a figure function does not call it.
    `colour(role)`: "ink", "muted", "faint", "background", "accent", "contrast", "theory", "null".
    `series(i)`: six colours for compared things; `ramp(n)`: n colours for an ordered family.
    `sequential()`, `diverging()`: colour maps; `centred(*arrays, limit=None)`: shared scale symmetric about 0.
    `verdict_colour(verdict)`; `shape_colour(name)`: one colour per arrangement (digon, ...) on the whole site.

Conventions that hold on the whole site
    Axes rise to the right, none is inverted: density `p` is logarithmic, from sparse (left) to dense (right, p = 1);
    only figures that replicate one of the paper's over the rarity 1/p keep that axis. Letters: `p` density,
    `n` features, `d` hidden size (the paper's m), `r` importance ratio. A shape has the colour of `shape_colour`
    and, drawn as a line, the style of `shape_line`; series get marks of their own with `marked`. Orange and olive are
    never the only difference of two things. Variants of sparse autoencoders are written as in `VARIANT_NAMES`.

Shared artists (`artists`), each takes an Axes first
    `directions(ax, W, *, limit=None, colours=None, labelled=False)`: "starfish" of the columns of W (2, n).
    `gram(ax, matrix, *, limit=None, label="", colourbar=True)`: signed heat map centred on 0.
    `heat(ax, x, y, values, *, signed=False, norm=None, label="")`: values over a grid (set log scales first).
    `colour_scale(image, axes, *, label="")`: one colour bar for several panels.
    `band(ax, x, low, mid, high, *, label="", index=0, marker="")`: line with its interval.
    `seed_band(ax, x, values, *, label="", index=0, marker="")`: mean over seeds (point, seed) with its t interval.
    `points(ax, x, quantities, *, label="", index=0, line=False, horizontal=False)`: Quantities with error bars.
    `field_points(ax, x, rows, {"label": "field"}, *, indices=())`: a line of points per field of a family of numbers.
    `distribution_strip(ax, {"name": values}, *, index=0, colours=None)`: every value of each group, with the median.
    `stacked_shares(ax, x, {"name": shares})`: shares that add up; areas over numbers, bars over names.
    `alluvial(ax, flows, stages, colours)`: what is together at one stage and divided at the next; `untangled` orders.
    `interference_graph(ax, W, *, edge, threshold)`: features linked by their overlaps, one component beside the other.
    `theory_line(ax, x, y)`, `theory_level(ax, value, vertical=False)`: what a formula predicts.
    `null_band(ax, x, low, high, *, mid=None, label="null model")`: what chance gives.
    `guide(ax, value, vertical=False)`: a faint line at a round value.

Axes and legends (`axes`)
    `density_axis(ax, ticks=())`: logarithmic x for p; `percent_axis(ax)`: shares in percent.
    `doubling_axis(ax, ticks, label)`: logarithmic x to base 2 with ticks at what was measured.
    `label_line(line, text)`, `panel_letters(axes)`, `legend(ax, figure=None)`.

The data behind a figure are read off it (`roles`)
    Everything drawn counts as data unless it says otherwise: `decoration(artist)` marks what is none (a frame,
    a unit circle), `represents(artist, {"column": values})` gives the numbers an artist stands for.
    Plain matplotlib (`ax.plot`, `ax.scatter`, `ax.bar`, `ax.imshow`, ...) works too; give each a `label`.
"""

from experiments.core.plotting.alluvial import alluvial, untangled
from experiments.core.plotting.artists import (
    band,
    cell_edges,
    colour_scale,
    directions,
    distribution_strip,
    field_points,
    gram,
    guide,
    heat,
    null_band,
    points,
    seed_band,
    stacked_shares,
    theory_level,
    theory_line,
)
from experiments.core.plotting.axes import (
    density_axis,
    doubling_axis,
    label_line,
    legend,
    panel_letters,
    percent_axis,
    settle_titles,
)
from experiments.core.plotting.graphs import interference_graph
from experiments.core.plotting.roles import decoration, is_decoration, represented, represents
from experiments.core.plotting.shapes import SHAPE_SERIES, shape_colour, shape_line
from experiments.core.plotting.style import (
    centred,
    colour,
    current_theme,
    diverging,
    new_figure,
    ramp,
    sequential,
    series,
    theme,
    verdict_colour,
)
from experiments.core.plotting.typefaces import VERBATIM
from experiments.core.plotting.variants import VARIANT_NAMES, marked
from experiments.core.plotting.verbatim import verbatim

__all__ = [
    "SHAPE_SERIES",
    "VARIANT_NAMES",
    "VERBATIM",
    "alluvial",
    "band",
    "cell_edges",
    "centred",
    "colour",
    "colour_scale",
    "current_theme",
    "decoration",
    "density_axis",
    "directions",
    "distribution_strip",
    "diverging",
    "doubling_axis",
    "field_points",
    "gram",
    "guide",
    "heat",
    "interference_graph",
    "is_decoration",
    "label_line",
    "legend",
    "marked",
    "new_figure",
    "null_band",
    "panel_letters",
    "percent_axis",
    "points",
    "ramp",
    "represented",
    "represents",
    "seed_band",
    "sequential",
    "series",
    "settle_titles",
    "shape_colour",
    "shape_line",
    "stacked_shares",
    "theme",
    "theory_level",
    "theory_line",
    "untangled",
    "verbatim",
    "verdict_colour",
]
