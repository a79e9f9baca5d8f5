"""Pieces that other processes trained join to the bytes of training at once."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.core import pieces
from experiments.core.autoencoders import Autoencoder, Specification, Superposed, train_autoencoders
from experiments.core.training import Data, Model, Recipe, train
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.results import runs
from site_builder.running import plain_values
from site_builder.running.cluster_worker import do_on_worker
from site_builder.running.shared_pieces import Asker, Sharing

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # dask leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

REPOSITORY = Path(__file__).parents[3]


def asker() -> Asker:
    """Ask for an experiment of the repository."""
    from experiments.phase_change.one_dimension import experiment

    options, project = Options(scale="quick"), Project(REPOSITORY)
    key = runs.key_of(project, runs.sources_of(project), experiment, options)
    return Asker("experiments.phase_change.one_dimension", asdict(options), key.parts)


class Counting:
    """A client that counts what it was given back."""

    def __init__(self, client: Any) -> None:
        self.client, self.futures = client, []

    def submit(self, *given: Any, **named: Any) -> Any:
        self.futures.append(self.client.submit(*given, **named))
        return self.futures[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@pytest.mark.parametrize("changed", [False, True])
def test_training_on_other_workers_gives_the_same_bytes(scheduler, hire, monkeypatch, changed):
    monkeypatch.setattr(pieces, "SHORTEST", 1e-9)
    data, model, recipe = Data(0.3), Model(6, 2), Recipe(steps=300, batch=64, snapshots=(0, 100))
    sources = [Superposed(np.eye(4, 9, dtype=np.float32), 0.2)] * 2
    kinds = tuple(Autoencoder(v, 8, 2, s, s) for v in ("relu", "topk") for s in (0, 1))
    specification = Specification(kinds, steps=40, batch=32)
    once, dictionaries = train(data, model, recipe, 6), train_autoencoders(sources, specification).state
    who = asker()
    if changed:
        who = Asker(who.module, who.options, who.wanted | {"python": "other"})
    for count in (1, 2):
        hire(REPOSITORY, count)
    with distributed.Client(scheduler.scheduler_address, set_as_default=False) as client:
        counting = Counting(client)
        monkeypatch.setattr(pieces, "do", slow_here)
        taken = []
        monkeypatch.setattr(plain_values, "unpacked", lambda sent: taken.append(1) or UNPACKED(sent))
        with pieces.helped(Sharing(lambda: counting, who, do_on_worker, lambda step, share: None)):
            shared = train(data, model, recipe, 6)
            theirs = train_autoencoders(sources, specification).state
    assert len(counting.futures) == 6 + 4
    assert (len(taken) == 0) if changed else (len(taken) > 2)  # who differs is no help, and the rest is done here
    for one, other in ((shared.weights.W, once.weights.W), (shared.snapshots[1].b, once.snapshots[1].b)):
        assert one.tobytes() == other.tobytes()
    assert theirs.parameters.tobytes() == dictionaries.parameters.tobytes()


UNPACKED, DO = plain_values.unpacked, pieces.do


def slow_here(piece: pieces.Piece) -> Any:
    """Do a piece, slowly enough for others to do some."""
    import time

    time.sleep(2)
    return DO(piece)


def test_plain_values_travel_with_type_order_and_identity():
    source = Superposed(np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)), 0.25)
    sent = (
        source,
        source,
        Recipe(instance_seeds=(2**64 - 1, 0)),
        None,
        True,
        [0.1, float("inf")],
        np.float32(3),
        {"a": 1},
    )
    one, two, *rest = plain_values.unpacked(plain_values.packed(sent))
    assert one is two
    assert one.W.flags.f_contiguous
    assert not one.W.flags.c_contiguous
    np.testing.assert_array_equal(one.W, source.W)
    assert rest == list(sent[2:])
    assert type(rest[4]) is np.float32


@pytest.mark.parametrize("value", [object(), np.array([object()]), lambda: 0, Path("x"), {1: 2}, {2}])
def test_what_is_not_plain_does_not_travel(value):
    with pytest.raises(plain_values.NotPlain):
        plain_values.packed(value)


def test_damaged_bytes_are_refused_and_so_is_what_lies_elsewhere():
    sent = plain_values.packed((1, np.arange(5)))
    with pytest.raises(plain_values.Damaged):
        plain_values.unpacked(sent[:-1] + bytes([sent[-1] ^ 1]))
    with pytest.raises(plain_values.Damaged):
        plain_values.named("os:system")
    with pytest.raises(plain_values.NotPlain):
        plain_values.name_of(print)
