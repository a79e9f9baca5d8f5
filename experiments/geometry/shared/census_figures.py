"""Drawings shared by the two censuses of arrangements: shapes, curves and transitions, shares and the map."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.core import plotting, views
from experiments.core.geometry.configurations import OTHER, canonical
from experiments.core.metrics import norms
from experiments.core.plotting.solids import FROM_ABOVE, OBLIQUE, wire_frame
from experiments.geometry.shared.census import CensusResult
from experiments.geometry.shared.hulls import edges, faces

Array = NDArray[np.float64]

ALIKE = {
    "sphenocorona": "ten vertices",
    "three triangles + one": "ten vertices",
    "bicapped square antiprism": "ten vertices",
}
"""Three shapes of ten vertices are so close in loss that figures show them as one."""

SHOWN = (
    "triangle", "digon + one", "two digons", "pentagon", "hexagon", "two directions",
    "tetrahedron", "octahedron", "pentagonal bipyramid", "square antiprism", "tricapped trigonal prism", "ten vertices",
)  # fmt: skip
"""Shapes that have a colour of their own in the censuses; of these a figure shows those that occur."""

NAMED, UNNAMED = "another named shape", "no named shape"

TICKS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02)


def group(kind: str) -> str:
    """Return under which name a shape is drawn."""
    if kind == OTHER:
        return UNNAMED
    name = ALIKE.get(kind, kind)
    return name if name in SHOWN else NAMED


def tone(name: str) -> str:
    """Return the colour of a group, the same in every figure."""
    return plotting.shape_colour(name)


def density_range(ax: Axes, p: Array, *, margin: float = 1.0) -> None:
    """Make x the density over the range of `p`, which `margin` widens by a factor."""
    plotting.density_axis(ax, ticks=TICKS)
    ax.set_xlim(float(p.min()) / margin, float(p.max()) * margin)


def draw_plane_path(result: CensusResult) -> Figure:
    """Draw the shapes of the plane that are best somewhere, and under each the best run nearest to it."""
    count = len(result.pictured_kind)
    figure, axes = plotting.new_figure(2, count, width="wide", height=8.0 / count * 2 + 0.5, squeeze=False)
    limit = 1.05 * float(max(norms(result.pictured_W).max(), norms(result.best_W).max()))
    for column, kind in enumerate(result.pictured_kind):
        high, low = result.pictured_range[column]
        case = int(np.abs(np.log(result.p / np.sqrt(high * low))).argmin())
        colour = tone(group(result.kinds[kind]))
        for row, W in enumerate((result.pictured_W[column], result.best_W[case])):
            plotting.directions(axes[row, column], canonical(W), limit=limit, colours=colour)
        axes[0, column].set_title(f"{result.kinds[kind]}\n${_range(high, low).replace(' =', '$ =')}", loc="center")
        axes[1, column].set_title(f"$p$ = {result.p[case]:g}", loc="center")
    for row, label in enumerate(("exact optimum", "best run")):
        axes[row, 0].set_ylabel(label)
    return figure


def _range(high: float, low: float) -> str:
    return f"p = {high:.2g} to {low:.2g}"


def draw_space_path(result: CensusResult) -> Figure:
    """Draw the solids that are best somewhere from two sides each, common features first."""
    count = len(result.pictured_kind)
    figure, axes = plotting.new_figure(2, count, width="wide", height=8.0 / count * 2 + 1.2, squeeze=False)
    limit = 1.12 * float(norms(result.pictured_W).max())
    for column, kind in enumerate(result.pictured_kind):
        W, name = _vertices(result.pictured_W[column]), result.kinds[kind]
        for row, view in enumerate((OBLIQUE, FROM_ABOVE)):
            wire_frame(axes[row, column], W, edges(faces(W)), view=view, tone=tone(group(name)), limit=limit)
        high, low = result.pictured_range[column]
        axes[0, column].set_title(name.replace(" ", "\n").replace("\n+\n", "\n+ "), loc="center", size="small")
        axes[1, column].set_xlabel(f"$p$ = {high:.2g}\nto {low:.2g}", size="small")
    for row, label in enumerate(("from the side", "along the axis")):
        axes[row, 0].set_ylabel(label)
    return figure


def turn_space_path(result: CensusResult) -> views.Solids:
    """Return the same solids to be turned by hand."""
    solids = []
    for column, kind in enumerate(result.pictured_kind):
        W, (high, low) = _vertices(result.pictured_W[column]), result.pictured_range[column]
        rings = faces(W)
        name = f"{result.kinds[kind]}, {_range(high, low)}"
        solids.append(
            views.Solid(name, W.T, edges(rings), rings, colours=_colour_numbers(result.kinds[kind], W.shape[1]))
        )
    return views.Solids(
        "The best arrangements of ten features in three dimensions, common features first", tuple(solids)
    )


def _colour_numbers(kind: str, count: int) -> tuple[int, ...]:
    return (plotting.SHAPE_SERIES.get(ALIKE.get(kind, kind), 0),) * count


def _vertices(W: Array) -> Array:
    """Return the columns of features that the shape holds."""
    return W[:, norms(W) > 0]


def draw_curves(result: CensusResult, pairs: str) -> Figure:
    """Draw what shapes and best runs keep beyond the antipodal `pairs` (a), and the order parameter with sweeps (b)."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=4.4)
    base, drawn = result.curve_kept[result.kinds.index(pairs)], set()
    for kind, kept in zip(result.kinds, result.curve_kept, strict=False):
        name, there = group(kind), np.isfinite(kept)
        if name not in SHOWN or not there.any():
            continue
        gain = (kept - base)[there]
        label = "_" if name in drawn else name
        left.plot(result.curve_p[there], gain, linewidth=1.4, label=label, **plotting.shape_line(name))
        drawn.add(name)
    beyond = result.best_kept - np.interp(np.log(result.p), np.log(result.curve_p), base)
    left.plot(result.p, beyond, "o", color=plotting.colour("ink"), markersize=3.5, label="best run", zorder=6)
    left.set(ylabel=f"kept beyond the {pairs}, in features", title="each shape at its best", ylim=(-1.1, None))
    for direction, label in enumerate(("to rarer features", "and back")):
        low, middle, high = np.quantile(result.sweep_mass[direction], [0.25, 0.5, 0.75], axis=0)
        plotting.band(right, result.sweep_p, low, middle, high, label=label, index=direction)
    optimum = result.optimum[-1]
    mass = result.curve_mass[optimum, np.arange(len(optimum))]
    for first, last in _stretches(optimum):
        plotting.theory_line(
            right, result.curve_p[first : last + 1], mass[first : last + 1], label="" if first else "exact optimum"
        )
    right.set(ylabel=r"represented mass $\Vert W\Vert_F^2$", title="carried from density to density")
    for ax in (left, right):
        density_range(ax, result.p, margin=1.08)
        for density in result.steps_p:
            plotting.guide(ax, density, vertical=True)
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure, columns=4)
    plotting.legend(right)
    return figure


def _stretches(best: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the first and last point of each run of equal entries."""
    starts = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist()]
    return [(low, high - 1) for low, high in zip(starts, [*starts[1:], len(best)], strict=True)]


def draw_census(result: CensusResult) -> Figure:
    """Draw the shares of runs in each shape (a), and the best shape for each number of features (b)."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=4.2)
    shares = grouped_shares(result)
    order = np.argsort(result.p)
    plotting.stacked_shares(
        left,
        result.p[order],
        {name: values[order] for name, values in shares.items()},
        colours=[tone(n) for n in shares],
    )
    for density in result.steps_p:
        plotting.theory_level(left, density, vertical=True, label="")
    left.set(ylabel="share of seeds", title="what training finds")
    plotting.percent_axis(left)
    draw_map(right, result, list(shares))
    right.set_title("the exact optimum")
    for ax in (left, right):
        density_range(ax, result.p)
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure, columns=4)
    return figure


def grouped_shares(result: CensusResult) -> dict[str, Array]:
    """Return the share of seeds (case,) in each group that is drawn: colours in order, then the two rests."""
    groups = [group(kind) for kind in result.kinds]
    order = [name for name in dict.fromkeys(groups) if name in SHOWN]
    found = {
        name: result.shares[:, [k for k, g in enumerate(groups) if g == name]].sum(1)
        for name in (*order, NAMED, UNNAMED)
    }
    return {name: values for name, values in found.items() if values.any()}


def draw_map(ax: Axes, result: CensusResult, names: list[str]) -> None:
    """Colour each number of features and density by the best shape."""
    groups = np.array([group(kind) for kind in result.kinds])[result.optimum]
    shown = [*names, *sorted({str(name) for name in groups.ravel()} - set(names))]
    numbers = np.array([[shown.index(str(name)) for name in row] for row in groups])
    counts = np.arange(2, 2 + len(numbers))
    ax.set_xscale("log")
    edges_p, edges_n = plotting.cell_edges(result.curve_p, log=True), plotting.cell_edges(counts)
    mesh = ax.pcolormesh(
        edges_p, edges_n, numbers, cmap=ListedColormap([tone(name) for name in shown]),
        norm=BoundaryNorm(np.arange(len(shown) + 1) - 0.5, len(shown)), shading="flat", alpha=0.9, linewidth=0,
    )  # fmt: skip
    mesh.set_rasterized(True)
    p, n = np.meshgrid(result.curve_p, counts)
    plotting.represents(mesh, {"p": p.ravel(), "n": n.ravel(), "shape": np.array(result.kinds)[result.optimum].ravel()})
    ax.set(ylabel="number of features $n$")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    for density in result.steps_p:
        plotting.theory_level(ax, density, vertical=True, label="")
