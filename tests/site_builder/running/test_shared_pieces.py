"""Pieces that other processes trained join to the bytes of training at once."""

import time
from dataclasses import asdict
from functools import partial
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
        monkeypatch.setattr(pieces, "do", partial(once_others_began, counting.futures))
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


def once_others_began(futures: list[Any], piece: pieces.Piece) -> Any:
    """Do a piece here once others have done three, or have said that they will not."""
    ends = time.monotonic() + 60
    while sum(future.status == "finished" for future in futures) < 3 and time.monotonic() < ends:
        time.sleep(0.02)
    return DO(piece)
