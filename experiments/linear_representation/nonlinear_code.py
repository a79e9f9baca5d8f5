"""A code that a linear read-out cannot undo: two dense features in one dimension. Statements B1 and B2.

If every way to store features were readable by a linear layer, the hypothesis would say nothing. The paper's non-linear
compression stores two numbers in one. Its own read-out, made of ramps, recovers both; no linear read-out does.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    AtLeast,
    AtMost,
    Criterion,
    Evidence,
    Holds,
    LessThan,
    MoreThan,
    Verdict,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from experiments.linear_representation.shared.nonlinear_code import LINEAR_ERROR, code_error, read, write

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0  # nothing is drawn: the errors are integrals
    steps: tuple[int, ...] = (2, 3, 5, 10)  # Z
    ramps: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # epsilon, in steps
    cells: int = 600  # of the midpoint rule, per feature
    shown_steps: int = 3
    shown_ramp: float = 0.1


@dataclass(frozen=True)
class Numbers:
    """Shares of variance explained are of the code shown: `own_*` by its own read-out, `linear_*` by the best linear
    one; `decomposed` is the share of the variance of t that a sum of directions explains."""

    linear_code: Quantity
    ideal: Quantity
    integration_error: Quantity
    linear_x: Quantity
    linear_y: Quantity
    own_x: Quantity
    own_y: Quantity
    decomposed: Quantity


@dataclass(frozen=True)
class Result:
    """Errors are means over both features: `own` of the code's read-out, `linear` of the best linear read-out of the
    same code. `x`, `t`, `read_x` and `read_y` are one code, at the values `y`."""

    steps: tuple[int, ...]
    ramps: Array  # (ramp,)
    own: Array  # (step count, ramp)
    linear: Array  # (step count, ramp)
    x: Array  # (x,)
    y: Array  # (y,)
    t: Array  # (y, x)
    read_x: Array  # (y, x)
    read_y: Array  # (y, x)
    own_shown: Quantity
    linear_shown: Quantity
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="A code that is not linear",
    config=Config(),
    quick=Config(steps=(3,), ramps=(0.0, 0.1, 0.3), cells=200),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    errors = [[code_error(Z, ramp, config.cells) for ramp in config.ramps] for Z in config.steps]
    shown = code_error(config.shown_steps, config.shown_ramp, config.cells)
    coarse = code_error(config.shown_steps, config.shown_ramp, config.cells // 2)
    x, y = np.linspace(0, 1, 601), np.array([0.15, 0.5, 0.85])
    t = write(x[None], y[:, None], config.shown_steps, config.shown_ramp)
    read_x, read_y = read(t, config.shown_steps, config.shown_ramp)
    ideal = code_error(config.shown_steps, 0.0, config.cells).read
    how = "midpoint rule over the square"
    return Result(
        steps=config.steps,
        ramps=np.array(config.ramps),
        own=np.array([[each.read for each in row] for row in errors]),
        linear=np.array([[each.linear for each in row] for row in errors]),
        x=x,
        y=y,
        t=t,
        read_x=read_x,
        read_y=read_y,
        own_shown=exact(shown.read, method=how),
        linear_shown=exact(shown.linear, method=how),
        numbers=Numbers(
            linear_code=exact(LINEAR_ERROR),
            ideal=exact(ideal, method=how),
            integration_error=exact(abs(shown.read - coarse.read), method="change when the cells are doubled"),
            linear_x=exact(1 - 12 * shown.linear_x, method=how),
            linear_y=exact(1 - 12 * shown.linear_y, method=how),
            own_x=exact(1 - 12 * shown.read_x, method=how),
            own_y=exact(1 - 12 * shown.read_y, method=how),
            # x and y are independent, so what they explain of t adds up.
            decomposed=exact(2 - 12 * (shown.linear_x + shown.linear_y), method=how),
        ),
    )


@experiment.figure(
    "nonlinear-code",
    title="A code of two features in one dimension",
    caption="The code's own read-out has a lower error than the best linear code. (a) The code t of x and y for three "
    "values of y, with three steps and ramps a tenth of a step wide: x chooses the step, y the place on it. (b) Mean "
    "squared error per feature against the width of the ramps: the code's own read-out (lines with dots, one per "
    "number of steps Z), the best linear read-out of the same code (squares), and the best linear code (dashed, 1/24).",
    alt="Left: three parallel staircases with rounded jumps. Right: error of the code's own read-out rises with the "
    "width of the ramps from nearly nothing to below the dashed line; errors of linear read-outs lie above it.",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide")
    for tone, y, t in zip(plotting.ramp(len(result.y)), result.y, result.t, strict=True):
        left.plot(result.x, t, color=tone, label=f"$y$ = {y:g}")
    left.set(xlabel="feature $x$", ylabel="code $t$", title="writing")
    plotting.legend(left)
    for index, Z in enumerate(result.steps):
        right.plot(result.ramps, result.own[index], "o-", color=plotting.series(index), label=f"$Z$ = {Z}")
        right.plot(
            result.ramps, result.linear[index], "s", markersize=3.5, color=plotting.series(index), fillstyle="none",
            label="linear read-out" if result.steps[-1] == Z else "_",
        )  # fmt: skip
    plotting.theory_level(right, result.numbers.linear_code.value, label="linear code")
    right.set(xlabel=r"ramp width $\varepsilon$ (steps)", ylabel="mean squared error", title="reading", ylim=(0, 0.053))
    plotting.legend(right, columns=3)
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "nonlinear-code-beats-linear",
    title="With ramps of a tenth, a three-step code beats every linear one",
    statements=("B2",),
    source="Toy Models of Superposition, appendix on non-linear compression",
    test="Mean squared error per feature of writing and reading two dense features in one dimension with Z = 3 and ε "
    "= 0.1, integrated over the square, against 1/24, the least of any linear code.",
    criterion=Criterion(
        supported_if(where(error=LessThan(LINEAR_ERROR, label="1/24"), grows=Holds())),
        refuted_if(where(error=AtLeast(LINEAR_ERROR, label="1/24"))),
        otherwise=Verdict.MIXED,
        names={"error": "the error", "grows": "it grows with ε for every Z"},
    ),
    figures=("nonlinear-code",),
    published=Verdict.SUPPORTED,
)
def code_error_shown(result: Result) -> Evidence:
    return Evidence(error=result.own_shown, grows=bool((np.diff(result.own, axis=1) > 0).all()))


@experiment.claim(
    "nonlinear-code-not-readable",
    title="A linear read-out recovers every code that a network can read",
    statements=("B1", "B2"),
    test="Both features of the same code, Z = 3 and ε = 0.1: share of the variance of the worse feature, y, that the "
    "best linear read-out of t explains. The code's own read-out sets what there is to recover.",
    criterion=Criterion(
        supported_if(where(linear=MoreThan(0.5))),
        refuted_if(where(linear=AtMost(0.5), own=MoreThan(0.5))),
        names={"linear": "the share", "own": "the share that the code's own read-out explains"},
    ),
    figures=("nonlinear-code",),
    published=Verdict.REFUTED,
)
def linearly_readable(result: Result) -> Evidence:
    return Evidence(linear=result.numbers.linear_y, own=result.numbers.own_y)
