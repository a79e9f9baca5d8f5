"""Does a sine average to zero over whole periods?"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import signals
from experiments.core.contract import Experiment, Verdict, undefined
from experiments.core.criteria import less_than
from experiments.core.quantities import Quantity, exact


@dataclass(frozen=True)
class Config:
    """Two periods are the published run."""

    seed: int = 0
    periods: int = 2
    samples: int = 64


@dataclass(frozen=True)
class Means:
    """The mean of each half."""

    first: Quantity
    second: Quantity


@dataclass(frozen=True)
class Result:
    """The wave (sample,), its means, and the ratio to the first sample, which is 0."""

    wave: NDArray[np.float64]
    mean: Quantity
    means: Means
    ratio: NDArray[np.float64] = undefined("the first sample of a sine is zero")


experiment = Experiment(__name__, title="A sine", config=Config(), quick=Config(samples=16))


@experiment.run
def run(config: Config, device: str) -> Result:
    """Sample the wave."""
    wave = signals.sine(config.periods, config.samples)
    halves = Means(exact(wave[: wave.size // 2].mean()), exact(wave[wave.size // 2 :].mean()))
    return Result(wave, exact(wave.mean()), halves, np.divide(wave, 0.0, out=np.full_like(wave, np.nan), where=False))


@experiment.figure(
    "sine-wave",
    title="A sine wave",
    caption="The mean is {mean:.3f}, in the first half {means.first:.3f}.",
    alt="A curve that swings evenly about zero.",
)
def draw(result: Result) -> Figure:
    """Draw the wave."""
    figure = Figure()
    axes = figure.subplots()
    axes.plot(result.wave, label=_label())
    axes.set(xlabel="sample", ylabel="value")
    return figure


def _label() -> str:
    return "sine"


@experiment.claim(
    "sine-mean-is-zero",
    title="The mean of a sine is zero",
    test="the mean over whole periods",
    criterion=less_than(1e-9),
    statements=("A1",),
    figures=("sine-wave",),
    published=Verdict.SUPPORTED,
)
def size_of_mean(result: Result) -> Quantity:
    """Return the size of the mean."""
    return exact(abs(result.mean.value))
