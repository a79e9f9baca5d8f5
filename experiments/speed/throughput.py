"""How fast do toy models train here, next to the published recipe and to what the machine can do?

Nothing is timed in this file: `make bench` writes `measured.json` beside it, which is committed, and this
experiment turns it into figures and verdicts. Timings are no reproducible bytes; a committed measurement is.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median as middle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    Some,
    Verdict,
    at_least,
    refuted_if,
    supported_if,
)
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity, exact, median
from experiments.speed.shared.files import read_json
from experiments.speed.shared.plots import plain_ticks

MEASURED = Path(__file__).with_name("measured.json")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """There is nothing to choose: the committed measurement is what it is."""

    seed: int = 0  # nothing is drawn


def row_names(config: Config) -> list[str]:
    """Return the names of the measured shapes, "gpu " before those of a GPU."""
    sections = read(MEASURED)
    gpu = sections.get("cuda", {"rows": []})
    return [named(row) for row in sections["cpu"]["rows"]] + [f"gpu {named(row)}" for row in gpu["rows"]]


def memory_names(config: Config) -> list[str]:
    """Return the names of the shapes whose memory was measured."""
    return [named(row) for row in read(MEASURED)["cpu"]["memory"]]


@dataclass(frozen=True)
class Result:
    """The measurement. Names of rows are "instances x features x hidden x batch", led by "gpu " on a GPU.

    `ratio` to the published recipe, `required` and `aim`ed; `samples` per second; `ceiling`, the share of
    what the machine's peak rates of multiply-adds and random numbers allow; `memory` and `memory_allowed` in MB.

    Sweeps hold samples per second as (point, [low, median, high]): over `counts` (point,) of (5, 2)
    models and over `sizes` (point, [features, hidden]). The GPU's have no points where none was measured.
    """

    machine: str
    date: str
    gpu: str
    threads: int
    compiling: Quantity
    from_disk: Quantity
    multiply_adds: Quantity
    draws: Quantity
    rows_met: Quantity
    nearest_miss: Quantity
    crowding: Quantity
    counts: NDArray[np.int64]  # (point,)
    counts_ours: Floats  # (point, 3)
    sizes: NDArray[np.int64]  # (point, 2)
    sizes_ours: Floats  # (point, 3)
    sizes_plain: Floats  # (point, 3)
    gpu_counts_ours: Floats  # (point, 3)
    gpu_counts_plain: Floats  # (point, 3)
    gpu_sizes_ours: Floats  # (point, 3)
    gpu_sizes_plain: Floats  # (point, 3)
    ratio: dict[str, Quantity] = keyed(row_names)
    required: dict[str, Quantity] = keyed(row_names)
    aim: dict[str, Quantity] = keyed(row_names)
    samples: dict[str, Quantity] = keyed(row_names)
    ceiling: dict[str, Quantity] = keyed(row_names)
    memory: dict[str, Quantity] = keyed(memory_names)
    memory_allowed: dict[str, Quantity] = keyed(memory_names)
    counts_plain: Floats = undefined("the published recipe was not run with so many models at once")


experiment = Experiment(
    __name__, title="Speed of the trainer", config=Config(), quick=Config(), inputs=(MEASURED,)
)  # fmt: skip


@experiment.run
def run(config: Config, device: str) -> Result:
    sections = read(MEASURED)
    cpu, gpu = sections["cpu"], sections.get("cuda")
    progress.note("measured", f"{cpu['date']} on {cpu['machine']}")
    rows = {named(row): (row, cpu) for row in cpu["rows"]}
    rows |= {f"gpu {named(row)}": (row, gpu) for row in (gpu["rows"] if gpu else [])}
    ratios = {name: ratio(row) for name, (row, _) in rows.items()}
    cpu_ratios, cpu_required = [ratios[named(row)] for row in cpu["rows"]], [row["required"] for row in cpu["rows"]]
    counts_ours = sweep(cpu["instances"], "ours")
    return Result(
        machine=cpu["machine"],
        date=cpu["date"],
        gpu=f"{gpu['machine']}, {gpu['date']}" if gpu else "",
        threads=cpu["threads"],
        ratio=ratios,
        required={name: exact(row["required"], method="asked for") for name, (row, _) in rows.items()},
        aim={name: exact(row["aim"], method="aimed for") for name, (row, _) in rows.items()},
        samples={name: samples_per_second(row) for name, (row, _) in rows.items()},
        ceiling={name: share_of_ceiling(row, section) for name, (row, section) in rows.items()},
        memory={named(row): exact(row["bytes"] / 1e6, "MB", "peak of one process") for row in cpu["memory"]},
        memory_allowed={named(row): exact(row["allowed"] / 1e6, "MB", "asked for") for row in cpu["memory"]},
        compiling=exact(cpu["first_call"]["compiling"], "s", "a single call in a fresh process"),
        from_disk=exact(cpu["first_call"]["from_disk"], "s", "a single call in a fresh process"),
        multiply_adds=exact(cpu["ceilings"]["multiply_adds"] / 1e9, "billion/s", "fastest matrix product found"),
        draws=exact(cpu["ceilings"]["draws"] / 1e9, "billion/s", "fastest plain generator found"),
        rows_met=met(cpu_ratios, cpu_required),
        nearest_miss=nearest_miss(cpu_ratios, cpu_required),
        crowding=exact(counts_ours[-1, 1] / counts_ours[:, 1].max(), method="ratio of medians of repeats"),
        counts=np.array([row["instances"] for row in cpu["instances"]]),
        counts_ours=counts_ours,
        counts_plain=sweep(cpu["instances"], "plain"),
        sizes=np.array([(row["features"], row["hidden"]) for row in cpu["features"]]),
        sizes_ours=sweep(cpu["features"], "ours"),
        sizes_plain=sweep(cpu["features"], "plain"),
        gpu_counts_ours=sweep(gpu["instances"] if gpu else [], "ours"),
        gpu_counts_plain=sweep(gpu["instances"] if gpu else [], "plain"),
        gpu_sizes_ours=sweep(gpu["features"] if gpu else [], "ours"),
        gpu_sizes_plain=sweep(gpu["features"] if gpu else [], "plain"),
    )


def read(path: Path) -> dict[str, Any]:
    """Return the sections of the measurement file, one per kind of device."""
    sections = read_json(path, "make bench")
    if "cpu" not in sections:
        raise ReportError(
            f"{path.name}: holds no measurement of a CPU; run `python -m site_builder bench --device cpu`"
        )
    return sections


def named(row: dict[str, Any]) -> str:
    """Return "10x5x2x1024" for a measured shape."""
    return "x".join(str(row[axis]) for axis in ("instances", "features", "hidden", "batch"))


def ratio(row: dict[str, Any]) -> Quantity:
    """Return how many times faster a row is than the published recipe.

    The value is the ratio of the medians; the interval that of the median over pairs of neighbouring repeats.
    """
    pairs = median(np.array(row["plain"]) / np.array(row["ours"]))
    value = middle(row["plain"]) / middle(row["ours"])
    method = "ratio of medians; interval of the median over alternating pairs, by order statistics, 95 %"
    return Quantity(value, pairs.low, pairs.high, pairs.n, "", method)


def samples_per_second(row: dict[str, Any]) -> Quantity:
    """Return how many samples of one model are trained on per second, over all models."""
    return median(row["instances"] * row["batch"] / np.array(row["ours"]) / 1e6, "million/s")


def share_of_ceiling(row: dict[str, Any], section: dict[str, Any]) -> Quantity:
    """Return the least time the machine's peak rates allow over the time taken.

    That least time counts every multiply-add of dense arithmetic and every random number, one after the other.
    """
    peaks = section["ceilings"]
    least = row["multiply_adds"] / peaks["multiply_adds"] + row["draws"] / peaks["draws"]
    return median(least / np.array(row["ours"]))


def met(ratios: list[Quantity], required: list[float]) -> Quantity:
    """Return the share of rows whose ratio reaches what is required."""
    reached = [found.value >= least for found, least in zip(ratios, required, strict=True)]
    return Quantity(float(np.mean(reached)), n=len(reached), method="a count over all measured rows")


def over_required(found: Quantity, least: float) -> Quantity:
    """Return a ratio over what is required of it: 1 is just enough."""
    assert found.low is not None
    assert found.high is not None
    return Quantity(found.value / least, found.low / least, found.high / least, found.n, "", found.method)


def nearest_miss(ratios: list[Quantity], required: list[float]) -> Quantity:
    """Return ratio over requirement of the row where it is least."""
    shares = [over_required(found, least) for found, least in zip(ratios, required, strict=True)]
    return min(shares, key=lambda share: share.value)


def sweep(points: list[dict[str, Any]], who: str) -> Floats:
    """Return least, median and greatest samples per second of every point: (point, 3); NaN where not measured."""
    found = np.full((len(points), 3), np.nan)
    for place, point in enumerate(points):
        if point[who]:
            rates = np.sort(point["instances"] * point["batch"] / np.array(point[who]))
            found[place] = rates[0], np.median(rates), rates[-1]
    return found


@experiment.figure(
    "speed-ratios",
    title="Times faster than the published recipe",
    caption="By the ratio of medians, the trainer is as fast as was asked for in {rows_met:count} shapes on the CPU. "
    "How many times faster it is than the published recipe written plainly, in the same process on {machine} ({date}). "
    "Names give instances, features n, hidden size d and batch.",
    alt="One row per shape of model: a point for the measured ratio on a logarithmic axis, with its interval, a bar "
    "for the ratio that was asked for and another for the ratio aimed for.",
    interval="95 % interval of the median over seven alternating pairs of repeats, by order statistics",
)
def draw_ratios(result: Result) -> Figure:
    names = list(result.ratio)
    places = np.arange(len(names))[::-1]
    figure, ax = plotting.new_figure(height=1.1 + 0.36 * len(names))
    for quantities, label, tone in ((result.required, "asked for", "ink"), (result.aim, "aimed for", "muted")):
        values = [quantities[name].value for name in names]
        ax.plot(values, places, "|", markersize=15, markeredgewidth=1.8, color=plotting.colour(tone), label=label)
    plotting.points(ax, places, [result.ratio[name] for name in names], label="measured", horizontal=True)
    ax.set_xscale("log")
    ax.set_yticks(places, [name.replace("x", " × ") for name in names])
    ax.set(xlabel="times faster than the published recipe", ylim=(-0.6, len(names) - 0.4))
    plain_ticks(ax)
    plotting.legend(ax)
    return figure


@experiment.figure(
    "speed-ceiling",
    title="Share of what the machine can do",
    caption="Least time that this machine's peak rates allow, over the time taken. The peaks, measured in the same "
    "run, are {multiply_adds} multiply-adds and {draws} random numbers; the least time counts dense arithmetic, so a "
    "kernel that skips absent features can pass it.",
    alt="One row per shape of model: a point for the share of the machine's peak, in percent, with its interval.",
    interval="95 % interval of the median over seven repeats, by order statistics",
)
def draw_ceiling(result: Result) -> Figure:
    names = list(result.ceiling)
    places = np.arange(len(names))[::-1]
    figure, ax = plotting.new_figure(height=0.9 + 0.36 * len(names))
    plotting.points(ax, places, [result.ceiling[name] for name in names], horizontal=True)
    plotting.guide(ax, 1.0, vertical=True)
    ax.set_yticks(places, [name.replace("x", " × ") for name in names])
    ax.set(xlabel="share of the machine's peak rates", ylim=(-0.6, len(names) - 0.4), xlim=(0, None))
    plotting.percent_axis(ax, x=True)
    return figure


@experiment.figure(
    "speed-over-instances",
    title="Throughput against the number of models",
    caption="With the most models at once the trainer keeps {crowding:% value} of its best throughput. Samples trained "
    "per second, over all models together, against how many models with n = 5 and d = 2 train at once (batches of "
    "1024).",
    alt="Samples per second against the number of models from 1 to 4096, both logarithmic: the trainer's line lies far "
    "above that of the published recipe.",
    interval="Least and greatest of the repeats",
)
def draw_over_instances(result: Result) -> Figure:
    figure, ax = plotting.new_figure()
    lines(ax, result.counts, result.counts_ours, result.counts_plain, result.gpu_counts_ours, result.gpu_counts_plain)
    ax.set(xlabel="models trained at once", ylabel="samples per second")
    ax.xaxis.set_major_locator(FixedLocator([float(count) for count in result.counts]))
    plain_ticks(ax)
    return figure


@experiment.figure(
    "speed-over-features",
    title="Throughput against the size of the model",
    caption="The larger the model, the fewer samples per second; the work per sample grows as n d. Samples trained per "
    "second against the number of features n, with the hidden size d that stands below it.",
    alt="Samples per second against the number of features from 2 to 800, both logarithmic: falling lines, the "
    "trainer's above that of the published recipe at every size.",
    interval="Least and greatest of the repeats",
)
def draw_over_features(result: Result) -> Figure:
    figure, ax = plotting.new_figure()
    features = result.sizes[:, 0]
    lines(ax, features, result.sizes_ours, result.sizes_plain, result.gpu_sizes_ours, result.gpu_sizes_plain)
    ax.set(xlabel="features n, with hidden size d", ylabel="samples per second")
    ax.xaxis.set_major_locator(FixedLocator([float(count) for count in features]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{n}\n{d}" for n, d in result.sizes])
    return figure


def lines(ax: Axes, x: NDArray[np.int64], ours: Floats, plain: Floats, gpu_ours: Floats, gpu_plain: Floats) -> None:
    """Draw the measured sweeps over `x`, both axes logarithmic."""
    names = ("this trainer", "published recipe", "this trainer, GPU", "published recipe, GPU")
    for index, (label, rates) in enumerate(zip(names, (ours, plain, gpu_ours, gpu_plain), strict=True)):
        there = np.isfinite(rates[:, 1])
        if there.any():
            low, mid, high = rates[there].T
            plotting.band(ax, x[: len(rates)][there], low, mid, high, label=label, index=index, marker="o")
    ax.set(xscale="log", yscale="log")
    plotting.legend(ax)


@experiment.claim(
    "speed-required",
    title="The CPU trainer is as many times faster as was asked for",
    test="Ratio of median times per step, published recipe over this trainer, in one process, divided by the ratio "
    "asked for; the statistic is the least over all shapes.",
    criterion=Criterion(
        supported_if(Every(name="shares", each=Above(1.0), of="shape")),
        refuted_if(Some(name="shares", each=Below(1.0), of="shape")),
        otherwise=Verdict.MIXED,
        names={"shares": "the ratio over that asked for"},
    ),
    source="this report",
    figures=("speed-ratios",),
)
def ratios_over_required(result: Result) -> Evidence:
    names = [name for name in result.ratio if not name.startswith("gpu ")]
    shares = tuple(over_required(result.ratio[name], result.required[name].value) for name in names)
    return Evidence(least=result.nearest_miss, shares=shares)


@experiment.claim(
    "speed-crowding",
    title="With the most models at once the trainer keeps four fifths of its best throughput",
    test="Throughput with the most models at once over the best throughput with any number of them, (5, 2) on the CPU.",
    criterion=at_least(0.8, few=0.5),
    source="this report",
    figures=("speed-over-instances",),
)
def throughput_with_most_models(result: Result) -> Quantity:
    return result.crowding
