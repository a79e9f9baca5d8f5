"""Where does a cosine start?"""

from dataclasses import dataclass

from experiments.core.signals import cosine
from matplotlib.figure import Figure

from experiments.core.contract import Experiment
from experiments.core.quantities import Quantity, exact


@dataclass(frozen=True)
class Config:
    """One period."""

    seed: int = 0
    samples: int = 8


@dataclass(frozen=True)
class Result:
    """The first value."""

    start: Quantity


experiment = Experiment(__name__, title="A cosine", config=Config(), quick=Config(samples=4))


@experiment.run
def run(config: Config, device: str) -> Result:
    """Look at the first sample."""
    return Result(exact(cosine(1, config.samples)[0]))


@experiment.figure("cosine-start", title="Its start", caption="It starts at {start}.", alt="One point at height one.")
def draw(result: Result) -> Figure:
    """Draw the start."""
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0], [result.start.value], "o")
    axes.set(xlabel="sample", ylabel="value")
    return figure
