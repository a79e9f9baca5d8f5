"""Names on pages and in captions are checked against what results declare, before anything runs."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.quantities import Quantity
from site_builder.pages.declared import declared_names, is_declared, unknown_names


@dataclass(frozen=True)
class Config:
    seed: int = 0
    p: tuple[float, ...] = (0.1, 0.5)


@dataclass(frozen=True)
class AtDensity:
    error: Quantity
    found: int


@dataclass(frozen=True)
class Result:
    loss: NDArray[np.float64]
    best: Quantity
    maybe: Quantity | None
    name: str
    by_p: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.p])
    free: dict[str, Quantity] = undefined("old results without declared names")


@pytest.fixture
def names():
    experiment = Experiment("experiments.part.file", title="F", config=Config(), quick=Config(p=(0.2,)))

    @experiment.run
    def run(config: Config, device: str) -> Result:
        raise AssertionError("nothing needs to run")

    return declared_names(experiment, experiment.config)


def test_names_are_paths_through_nested_dataclasses_and_declared_keys(names):
    assert names == {
        "best": True,
        "maybe": True,
        "name": False,
        "by_p.0.1.error": True,
        "by_p.0.1.found": False,
        "by_p.0.5.error": True,
        "by_p.0.5.found": False,
        "free.*": True,
    }
    assert is_declared("by_p.0.5.error", names)
    assert is_declared("free.anything", names)
    assert not is_declared("by_p.0.2.error", names)


def test_a_misspelt_name_in_a_caption_is_found_with_the_nearest(names):
    assert unknown_names("It is {best:.3f} of {{all}}, {by_p.0.1.error:%}.", names) == []
    assert unknown_names("It is {bets}.", names) == [
        "names 'bets', which the result does not have; did you mean 'best'?"
    ]
    assert "cannot be filled in" in unknown_names("An open {brace", names)[0]
