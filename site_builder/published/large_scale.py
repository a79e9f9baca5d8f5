"""What `SCALE=large` would cost, from how long the published runs took and how much more each experiment asks for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from math import prod
from typing import Any

from experiments.core.contract import Experiment
from site_builder.discovery.registry import stem
from site_builder.published.results import Published

SECONDS = 3600
"""Seconds to an hour."""

TRAINING = ("steps", "batch")
"""Last words of settings that make training longer, and nothing else."""

EVALUATION = ("samples", "negatives", "inputs", "cases", "joins", "draws", "bins")
"""Last words of settings that make the measuring of what was trained longer, and nothing else."""


@dataclass(frozen=True)
class Cost:
    """What an experiment costs at the large scale: `seconds` of one core when published, and how many `times` that."""

    name: str
    seconds: float
    times: float

    @property
    def core_hours(self) -> float:
        return self.seconds * self.times / SECONDS


def times_the_work(experiments: Iterable[Experiment]) -> dict[str, float]:
    """Return how many times the work of the full run the large one is, for each experiment that has a large one."""
    return {each.id: times(each.config, each.large) for each in experiments if each.large is not None}


def times(full: Any, large: Any) -> float:
    """Return how many times the work a large configuration is, going by what it asks more of.

    A whole number counts with its ratio, a list with that of its lengths, what is no size (a rate, a density, the seed)
    does not count. Settings whose names end in the same word ("steps", "wide_steps") count once, with the largest
    ratio. Training and evaluation follow one another, so the one that grows more stands for both. Not all of an
    experiment grows with each of its settings, so this is the most that it can be.
    """
    ratios: dict[str, float] = {}
    for name, ratio in _ratios(full, large):
        word = name.rpartition("_")[2]
        ratios[word] = max(ratio, ratios.get(word, 0.0))
    training, evaluation = (prod(ratios.pop(word, 1.0) for word in words) for words in (TRAINING, EVALUATION))
    return prod(ratios.values()) * max(training, evaluation)


def _ratios(full: Any, large: Any) -> Iterator[tuple[str, float]]:
    for field in fields(full):
        before, after = getattr(full, field.name), getattr(large, field.name)
        if before == after or field.name == "seed" or type(before) is not type(after):
            continue
        if is_dataclass(before):
            yield from _ratios(before, after)
        elif isinstance(before, int) and not isinstance(before, bool) and before > 0:
            yield field.name, after / before
        elif isinstance(before, tuple) and before:
            yield field.name, _size(after) / _size(before)


def _size(values: tuple[Any, ...]) -> float:
    """Return the length of a list, or of a list of sizes their sum: a wider model is more work."""
    whole = all(isinstance(value, int) for value in values)
    return float(sum(values)) if whole and sum(values) > 0 else float(len(values))


def costs(published: Published, times: Mapping[str, float]) -> list[Cost]:
    """Return the cost of each published experiment at the large scale, the dearest first."""
    found = [
        Cost(stem(id), published.runs[id].run.seconds * published.runs[id].run.threads, ratio)
        for id, ratio in times.items()
        if id in published.runs
    ]
    return sorted(found, key=lambda cost: -cost.core_hours)
