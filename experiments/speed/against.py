"""How much faster is the report than when the work on its speed began?

Nothing is timed in this file: `make bench AGAINST=<commit>` writes `against.json` beside it, which is committed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    AtLeast,
    Criterion,
    Every,
    Evidence,
    FewerThan,
    Verdict,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact, median
from experiments.speed.shared.files import read_json
from experiments.speed.shared.plots import plain_ticks

MEASURED = Path(__file__).with_name("against.json")

TICKS = (0.5, 1, 2, 4, 8)

REQUIRED = {"autoencoders": 4.0, "toy models": 1.5, "the quick report": 4.0, "the report after": 4.0, "drawing": 2.5}
"""How many times faster was asked for before anything was changed, by how the names of rows begin."""


@dataclass(frozen=True)
class Config:
    """There is nothing to choose: the committed measurement is what it is."""

    seed: int = 0  # nothing is drawn


def rows() -> list[dict[str, Any]]:
    """Return the measured rows; `old` and `new` are seconds, turn by turn."""
    found: list[dict[str, Any]] = read_json(MEASURED, "make bench AGAINST=<commit>")["rows"]
    return found


def names(config: Config) -> list[str]:
    """Return what was timed."""
    return [row["name"] for row in rows()]


@dataclass(frozen=True)
class Result:
    """The measurement: `ratio` old over new, what was `required` of it, and `seconds` now.

    `old` and `new` are the figures that each state of the report draws.
    """

    commit: str
    of: str
    machine: str
    date: str
    old_figures: Quantity
    new_figures: Quantity
    ratio: dict[str, Quantity] = keyed(names)
    required: dict[str, Quantity] = keyed(names)
    seconds: dict[str, Quantity] = keyed(names)


experiment = Experiment(
    __name__, title="Speed against an earlier state", config=Config(), quick=Config(), inputs=(MEASURED,)
)  # fmt: skip


@experiment.run
def run(config: Config, device: str) -> Result:
    found = read_json(MEASURED, "make bench AGAINST=<commit>")
    progress.note("measured", f"{found['date']} on {found['machine']}")
    measured = found["rows"]
    return Result(
        commit=found["commit"],
        of=found["of"],
        machine=found["machine"],
        date=found["date"],
        old_figures=exact(found["figures"]["old"], "figures"),
        new_figures=exact(found["figures"]["new"], "figures"),
        ratio={row["name"]: ratio(row) for row in measured},
        required={row["name"]: exact(required(row["name"]), method="asked for") for row in measured},
        seconds={row["name"]: exact(np.median(row["new"]), "s", "median of the turns") for row in measured},
    )


def required(name: str) -> float:
    """Return how many times faster a row was asked to be."""
    return next(least for start, least in REQUIRED.items() if name.startswith(start))


def ratio(row: dict[str, Any]) -> Quantity:
    """Return how many times faster a row is now: the median over turns, with an interval from three turns on."""
    ratios = np.array(row["old"]) / np.array(row["new"])
    if len(ratios) < 3:
        return exact(float(np.median(ratios)), method=f"{len(ratios)} turn of each, no interval")
    return median(ratios)


@experiment.figure(
    "speed-against",
    title="Times faster than before",
    caption="How many times faster than at commit {commit} of {of}, when the work on speed began: trainings, and what "
    "a user of the report waits for. Both took turns on one machine ({machine}, {date}). Ticks: what was asked for.",
    alt="One row for each thing that was timed: a point for how many times faster it is now, on a logarithmic axis, "
    "and a bar for what was asked for.",
    interval="Order-statistic interval of the median over turns, where there are three or more",
)
def draw(result: Result) -> Figure:
    names = list(result.ratio)
    places = np.arange(len(names))[::-1]
    figure, ax = plotting.new_figure(height=1.1 + 0.36 * len(names))
    wanted = [result.required[name].value for name in names]
    ax.plot(wanted, places, "|", markersize=15, markeredgewidth=1.8, color=plotting.colour("ink"), label="asked for")
    plotting.points(ax, places, [result.ratio[name] for name in names], label="measured", horizontal=True)
    ax.set_xscale("log")
    ax.set_yticks(places, names)
    ax.set(xlabel="times faster", ylim=(-0.6, len(names) - 0.4))
    ax.set_xticks(TICKS)
    plain_ticks(ax)
    plotting.legend(ax)
    return figure


@experiment.claim(
    "speed-against-asked",
    title="Everything timed is as many times faster than before as was asked for",
    test="Seconds at the earlier commit over seconds now, medians over turns, divided by what was asked for; the "
    "statistic is the least over all rows.",
    criterion=Criterion(
        supported_if(where(shares=Every(each=AtLeast(1.0), of="row"))),
        refuted_if(where(shares=FewerThan(0.5, each=AtLeast(1.0), of="of the rows", label="half"))),
        otherwise=Verdict.MIXED,
        names={"shares": "the ratio over that asked for"},
    ),
    source="this report",
    figures=("speed-against",),
)
def ratios_over_asked(result: Result) -> Evidence:
    shares = tuple(exact(found.value / result.required[name].value) for name, found in result.ratio.items())
    return Evidence(least=min(shares, key=lambda share: share.value), shares=shares)
