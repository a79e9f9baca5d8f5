"""Train many mixtures and dense models on the same samples, and measure them on the same others.

For every source and seed there is one stream of training samples and one evaluation set. All models of a call read
both, so that what differs between two models is the models.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core import progress
from experiments.core.training.cpu import thread_count
from experiments.core.training.divergence import DivergedError
from experiments.core.training.seeds import DATA, EVALUATION, instance_seeds
from experiments.mixtures.shared.mixture_forward import apart, new_space, shape_of
from experiments.mixtures.shared.mixture_kernel import train_steps
from experiments.mixtures.shared.mixture_measures import Measures, measure
from experiments.mixtures.shared.mixture_model import Floats, Mixture, Parameters, flat, start, unflat
from experiments.mixtures.shared.mixture_samples import Source, draw, first_state, new_samples

CHUNK_ENTRIES = 200_000
"""Features that are drawn ahead for all models, at most: 2 MB, which a core's cache holds."""


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam on the mean over batch and features of importance * (x - y)^2, the rate falling as a cosine.

    Output biases start at `density / 2`, the mean input. `evaluation` batches make the common evaluation set.
    """

    steps: int = 1000
    learning_rate: float = 1e-2
    evaluation: int = 64


@dataclass(frozen=True)
class Found:
    """One trained model: its measures, its first and its last parameters."""

    measures: Measures
    first: Parameters
    last: Parameters


def train_mixtures(
    models: Sequence[Mixture],
    sources: Sequence[Source],
    batches: Sequence[int],
    seeds: Sequence[int],
    recipe: Recipe,
    importance: Floats | None = None,
) -> list[list[list[Found]]]:
    """Return what becomes of every model on every source from every seed: nested lists [source][seed][model].

    `batches` (source,) are the samples per step on each source. `importance` (feature,) weighs squared errors, for all
    alike. Same seeds, same bytes, whatever the number of threads. Raises `DivergedError`.
    """
    jobs = [(source, batch, seed) for source, batch in zip(sources, batches, strict=True) for seed in seeds]
    order = sorted(range(len(jobs)), key=lambda job: -jobs[job][0].density * jobs[job][1])  # the costly ones first
    found: dict[int, list[Found]] = {}
    with ThreadPoolExecutor(min(thread_count(), len(jobs))) as pool:
        waiting = pool.map(lambda job: _trained(models, *jobs[job], recipe, importance), order)
        for done, (job, result) in enumerate(zip(order, waiting, strict=True)):
            found[job] = result
            progress.advance("training", (done + 1) / len(jobs))
    return [[found[number * len(seeds) + place] for place in range(len(seeds))] for number in range(len(sources))]


def seeds_of(seed: int, count: int) -> tuple[int, ...]:
    """Return `count` seeds that follow from one."""
    return tuple(int(each) for each in instance_seeds(seed, None, count))


def _trained(
    models: Sequence[Mixture], source: Source, batch: int, seed: int, recipe: Recipe, importance: Floats | None
) -> list[Found]:
    """Return every model trained on one source from one seed."""
    features = source.features
    weighed = apart(np.ones(features, np.float32) if importance is None else importance)
    firsts = [start(model, features, source.density / 2, seed) for model in models]
    shapes = [shape_of(model, features) for model in models]
    spaces = [new_space(shape) for shape in shapes]
    rows = [apart(flat(model, first)) for model, first in zip(models, firsts, strict=True)]
    moments = [(apart(np.zeros_like(row)), apart(np.zeros_like(row))) for row in rows]
    chunk = int(np.clip(CHUNK_ENTRIES / (batch * features * source.density), 1, recipe.steps))
    rates = _rates(recipe)
    state = first_state(seed, DATA)
    for begin in range(0, recipe.steps, chunk):
        due = rates[begin : begin + chunk]
        samples = new_samples(source, batch * len(due))
        draw(source, state, samples)
        for number, row in enumerate(rows):
            finite = train_steps(  # type: ignore[no-untyped-call]
                shapes[number], samples, firsts[number].home, weighed, due, begin, spaces[number], row, *moments[number]
            )
            if not finite:
                raise DivergedError(
                    f"{models[number]} diverged between steps {begin} and {begin + len(due)} at density "
                    f"{source.density:g}, seed {seed}; lower the learning rate, which is {recipe.learning_rate:g}"
                )
    common = new_samples(source, batch * recipe.evaluation)
    draw(source, first_state(seed, EVALUATION), common)
    lasts = [unflat(model, row, features, first.home) for model, row, first in zip(models, rows, firsts, strict=True)]
    return [
        Found(measure(model, shapes[k], common, weighed, spaces[k], rows[k], lasts[k]), firsts[k], lasts[k])
        for k, model in enumerate(models)
    ]


def _rates(recipe: Recipe) -> NDArray[np.float64]:
    """Return the learning rate of every step (step,)."""
    return recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * np.arange(recipe.steps) / recipe.steps))
