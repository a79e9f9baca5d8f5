"""All measurements of one kind of device, in one process; alternating repeats, so that drift hits both sides."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from time import perf_counter
from typing import Any

import torch

from experiments.core.autoencoders import VARIANTS
from experiments.speed.shared import autoencoders, ceilings, probe, shapes
from experiments.speed.shared.plain import PlainRecipe, train_ours
from experiments.speed.shared.shapes import Shape, Target

REPEATS = 7
SWEEP_REPEATS = 5
SECONDS = 1.0
"""How long one timed stretch lasts at least; half as long in sweeps."""
LONGEST = 10_000
"""The most steps of a timed stretch: those of the published recipe."""
PACKAGES = {"torch", "numpy", "numba", "triton", "sae_lens"}
"""Packages whose versions belong to a measurement."""

Train = Callable[[int], object]
Say = Callable[[str, float], None]
"""Told what is being measured and the fraction of all that is done."""


def measure(device: str, about: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Return a section of the measurement file for "cpu" or "cuda".

    `about` says where and with what is measured; its "threads" (cores in use) is needed, the rest is passed on.
    """
    say("what this machine can do", 0.0)
    section = {
        **about,
        "load": os.getloadavg()[0],
        "date": date.today().isoformat(),
        "repeats": REPEATS,
        "ceilings": {
            "multiply_adds": ceilings.multiply_adds_per_second(device),
            "draws": ceilings.draws_per_second(device, about["threads"]),
        },
    }
    tasks = list(_tasks(device))
    parts: dict[str, list[Any]] = {"rows": [], "instances": [], "features": [], "memory": [], "autoencoders": []}
    for number, (part, what, work) in enumerate(tasks, start=1):
        say(what, number / (len(tasks) + 2))
        parts[part].append(work())
    say("first calls", 1 - 1 / (len(tasks) + 2))
    return section | parts | {"first_call": probe.first_call(device)}


def _tasks(device: str) -> Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]:
    """Yield every measurement: the part it belongs to, what to call it, and the work."""
    for target in shapes.TARGETS[device]:
        yield "rows", f"speed of {_named(target.shape)}", partial(_row, target, device)
    for count in shapes.COUNTS:
        shape = Shape(count, 5, 2)
        plain = device == "cuda" or count <= shapes.PLAIN_COUNT
        yield "instances", f"throughput of {_named(shape)}", partial(_swept, shape, device, plain)
    for features, hidden in shapes.SIZES:
        shape = Shape(shapes.SIZE_INSTANCES[device], features, hidden)
        yield "features", f"throughput of {_named(shape)}", partial(_swept, shape, device, True)
    yield "autoencoders", "speed of sparse autoencoders", partial(_variants, device)
    if autoencoders.available():
        yield "autoencoders", "speed of sparse autoencoders against SAELens", partial(_autoencoders, device)
    for shape, allowed in shapes.MEMORY:
        yield "memory", f"memory of {_named(shape)}", partial(_memory, shape, allowed, device)


def _row(target: Target, device: str) -> dict[str, Any]:
    timed = alternating(*_both(target.shape, device), REPEATS, SECONDS)
    return {**_fields(target.shape), "required": target.required, "aim": target.aim, **timed}


def _swept(shape: Shape, device: str, plain: bool) -> dict[str, Any]:
    theirs, ours = _both(shape, device)
    if plain:
        return _fields(shape) | alternating(theirs, ours, SWEEP_REPEATS, SECONDS / 2)
    steps = steps_that_last(SECONDS / 2, ours)
    return {**_fields(shape), "plain": [], "ours": [seconds_per_step(ours, steps) for _ in range(SWEEP_REPEATS)]}


def _variants(device: str) -> dict[str, Any]:
    plain = partial(autoencoders.train_variants, device=device, backend="reference")
    timed = alternating(plain, partial(autoencoders.train_variants, device=device), SWEEP_REPEATS, SECONDS)
    return autoencoders.described("plain torch", len(VARIANTS)) | timed


def _autoencoders(device: str) -> dict[str, Any]:
    theirs = partial(autoencoders.train_theirs, device=device)
    timed = alternating(theirs, partial(autoencoders.train_ours, device=device), SWEEP_REPEATS, SECONDS)
    return autoencoders.described("SAELens one by one") | timed


def _memory(shape: Shape, allowed: float, device: str) -> dict[str, Any]:
    return {**_fields(shape), "bytes": probe.peak_bytes(shape, device), "allowed": allowed}


def _both(shape: Shape, device: str) -> tuple[Train, Train]:
    torch.manual_seed(0)
    return PlainRecipe(shape, device).train, lambda steps: train_ours(shape, device, steps)


def alternating(plain: Train, ours: Train, repeats: int, seconds: float) -> dict[str, list[float]]:
    """Return the seconds per step of each repeat of both, which take turns."""
    steps = steps_that_last(seconds, plain), steps_that_last(seconds, ours)
    pairs = [(seconds_per_step(plain, steps[0]), seconds_per_step(ours, steps[1])) for _ in range(repeats)]
    return {"plain": [pair[0] for pair in pairs], "ours": [pair[1] for pair in pairs]}


def steps_that_last(seconds: float, work: Train) -> int:
    """Return how many steps take at least `seconds` and ten times the cost of starting; finding out warms caches.

    No more than the published 10,000: what a run costs to start is part of its speed.
    """
    work(1)
    start = seconds_per_step(work, 1)
    steps = 4
    while (taken := seconds_per_step(work, steps) * steps) < max(2 * start, seconds / 4) and steps < LONGEST:
        steps *= 4
    each = max(taken - start, taken / steps / 4) / (steps - 1)
    return min(max(1, round(max(seconds, 10 * start) / each)), LONGEST)


def seconds_per_step(work: Train, steps: int) -> float:
    """Time `steps` steps."""
    began = perf_counter()
    work(steps)
    return (perf_counter() - began) / steps


def _fields(shape: Shape) -> dict[str, int]:
    return {
        "instances": shape.instances,
        "features": shape.features,
        "hidden": shape.hidden,
        "batch": shape.batch,
        "multiply_adds": shape.multiply_adds,
        "draws": shape.draws,
    }


def _named(shape: Shape) -> str:
    return f"({shape.instances}, {shape.features}, {shape.hidden}, {shape.batch})"
