"""Is a mixture's forward pass as fast as its count of multiply-adds says? Statement H2.

Nothing is timed in this file: `make bench` writes `measured.json` beside it, which is committed. Timings are no
reproducible bytes; a committed measurement is.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Above, Below, Criterion, Every, Evidence, Verdict, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, exact, median
from experiments.mixtures.shared.mixture_timing import TIMED, rivals

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Config:
    """There is nothing to choose: the committed measurement is what it is."""

    seed: int = 0  # nothing is drawn


def timed_names(config: Config) -> list[str]:
    """Return the names of the mixtures that were timed."""
    return list(TIMED)


@dataclass(frozen=True)
class Timed:
    """One mixture: a ratio is of its time, or its multiply-adds, to those of a dense model."""

    nanoseconds: Quantity  # per sample
    time_hidden: Quantity  # over the dense model with as many hidden units
    count_hidden: Quantity
    time_cost: Quantity  # over the dense model with as many multiply-adds


@dataclass(frozen=True)
class Result:
    """The committed measurement."""

    machine: str
    date: str
    slowest: Quantity  # largest of the ratios of time against as many hidden units
    timed: dict[str, Timed] = keyed(timed_names)


experiment = Experiment(
    __name__, title="Time of a forward pass", config=Config(), quick=Config(), inputs=(MEASURED,)
)  # fmt: skip


@experiment.run
def run(config: Config, device: str) -> Result:
    found: dict[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    progress.note("measured", f"{found['date']} on {found['machine']}")
    rows = {row["name"]: row for row in found["rows"]}
    timed = {}
    for name, model in TIMED.items():
        against = {kind: rows[f"dense {rival.hidden}"] for kind, rival in rivals(model).items()}
        timed[name] = Timed(
            nanoseconds=median(rows[name]["nanoseconds"], "ns"),
            time_hidden=_ratio(rows[name], against["hidden"]),
            count_hidden=exact(rows[name]["multiply_adds"] / against["hidden"]["multiply_adds"]),
            time_cost=_ratio(rows[name], against["cost"]),
        )
    slowest = max((each.time_hidden for each in timed.values()), key=lambda each: each.value)
    return Result(found["machine"], found["date"], slowest, timed)


def _ratio(row: dict[str, Any], other: dict[str, Any]) -> Quantity:
    """Return the time of one model over that of another: the median over alternating pairs of repeats."""
    return median(np.array(row["nanoseconds"]) / np.array(other["nanoseconds"]), "times")


@experiment.figure(
    "mixtures-time",
    title="Time and count of a forward pass",
    caption=(
        "A forward pass takes up to {slowest:.2f} times as long as that of the dense model with as many hidden units. "
        "Points: time over that of the dense model, the median of alternating repeats. Bars: multiply-adds over those "
        "of the same dense model, the gate included. One compiled function, one sample at a time, dense inputs, one "
        "thread; {machine}, {date}."
    ),
    alt="One row per mixture: a bar for the ratio of multiply-adds and a point for the ratio of times.",
    interval="95 % interval of the median over fifteen alternating repeats, by order statistics",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=2.7)
    rows = np.arange(len(result.timed))[::-1]
    counts = [each.count_hidden.value for each in result.timed.values()]
    ax.barh(rows, counts, height=0.55, color=plotting.colour("faint"), label="multiply-adds")
    plotting.points(ax, rows, [each.time_hidden for each in result.timed.values()], label="time", horizontal=True)
    plotting.guide(ax, 1.0, vertical=True)
    ax.set_yticks(rows, [name.replace(" x ", " × ") for name in result.timed])
    ax.set(xlabel="over the dense model with as many hidden units", xlim=(0, None))
    plotting.legend(ax)
    return figure


@experiment.claim(
    "mixtures-faster",
    title="A mixture's forward pass is faster than that of the dense model with as many hidden units",
    statements=("H2",),
    test="Time per sample over that of the dense model, median over alternating repeats, for every mixture timed.",
    criterion=Criterion(
        supported_if(where(ratios=Every(each=Below(1.0), of="mixture"))),
        refuted_if(where(ratios=Every(each=Above(1.0), of="mixture"))),
        otherwise=Verdict.MIXED,
        names={"ratios": "the ratio of times"},
    ),
    figures=("mixtures-time",),
)
def faster(result: Result) -> Evidence:
    return Evidence(slowest=result.slowest, ratios=tuple(each.time_hidden for each in result.timed.values()))
