"""What is trained in pieces is, bit for bit, what is trained at once."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from experiments.core import pieces
from experiments.core.training import Data, DivergedError, Model, Recipe, Trained, Weights, train

SEEDS = (5, 2**64 - 1, 7, 0, 9)
WEIGHTS = Weights(*(np.random.default_rng(k).normal(size=(5, *shape)).astype(np.float32) for k, shape in
                    enumerate([(3, 6), (6,), (6, 3), (3,)])))  # fmt: skip
MIXING = np.random.default_rng(3).normal(size=(5, 6, 6)).astype(np.float32)
SAMPLES = np.random.default_rng(4).random((40, 6), dtype=np.float32)
GROUPS = ((0, 1), (2, 3))

CASES: dict[str, tuple[Data, Model, Recipe, int | None]] = {
    "a sparse and a dense sweep": (Data([[0.02], [0.9], [0.05], [1.0], [0.3]]), Model(6, 2), Recipe(), None),
    "default seeds": (Data(0.2), Model(6, 2), Recipe(seed=3), 5),
    "rates, start scales and biases": (
        Data(0.4, importance=np.arange(1, 7.0)),
        Model(6, 3, tied=False),
        Recipe(learning_rate=np.geomspace(1e-3, 1e-2, 5), start_scale=np.arange(1, 6.0), start="normal",
               start_bias=np.arange(30.0).reshape(5, 6) / 30, instance_seeds=SEEDS, weight_decay=0.1),
        None,
    ),
    "given weights, a hidden bias and frozen parts": (
        Data(0.5, signed=True),
        Model(6, 3, tied=False, hidden_bias=True, hidden_activation="relu", target="absolute"),
        Recipe(start=WEIGHTS, frozen=("W_out",), schedule="cosine", warmup=5),
        None,
    ),
    "a mixing of each instance": (Data(0.5), Model(6, 3, target_mixing=MIXING, loss="l4"), Recipe(), None),
    "one mixing": (Data(0.5), Model(6, 3, target_mixing=MIXING[0]), Recipe(schedule="step"), 5),
    "correlated groups": (
        Data(0.3, coupling="correlated", groups=GROUPS, strength=[0, 0.2, 0.5, 0.9, 1]), Model(6, 2), Recipe(), None,
    ),
    "anticorrelated groups": (Data(0.3, coupling="anticorrelated", groups=GROUPS), Model(6, 2), Recipe(), 5),
    "a data set of its own": (Data(0.3, fixed_samples=50), Model(6, 2), Recipe(), 5),
    "a given data set": (Data(0.3, samples=SAMPLES, shuffle=False), Model(6, 2, "linear"), Recipe(), 5),
}  # fmt: skip


class Backwards:
    """Does pieces one after another, the last first, and counts them."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, offered: Sequence[pieces.Piece]) -> list[Any]:
        self.done += len(offered)
        return [pieces.do(piece) for piece in reversed(offered)][::-1]


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> Backwards:
    """Somebody who helps with pieces of any length."""
    monkeypatch.setattr(pieces, "SHORTEST", 1e-9)
    return Backwards()


def short(recipe: Recipe) -> Recipe:
    given = {each.name: getattr(recipe, each.name) for each in fields(recipe)}
    return Recipe(**given | {"steps": 40, "batch": 70, "snapshots": (0, 7, 40, 7)})


def compare(one: Any, other: Any) -> None:
    """Refuse any difference in values, types or memory layout."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
        assert one.tobytes() == other.tobytes()
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            compare(a, b)
    elif isinstance(one, Weights | Trained):
        for each in fields(one):
            if each.name != "seconds":
                compare(getattr(one, each.name), getattr(other, each.name))
    else:
        assert one == other


@pytest.mark.parametrize("case", CASES)
def test_what_is_trained_in_pieces_is_what_is_trained_at_once(case: str, helper: Backwards) -> None:
    data, model, recipe, instances = CASES[case]
    once = train(data, model, short(recipe), instances)
    with pieces.helped(helper):
        cut = train(data, model, short(recipe), instances)
    assert helper.done == 5
    assert len(once.snapshots) == 4
    compare(cut, once)


def test_what_diverged_is_named_as_when_trained_at_once(helper: Backwards) -> None:
    data, model = Data(0.5), Model(5, 2)
    recipe = Recipe(steps=30, batch=16, learning_rate=[1e-3, 1e-3, 1e37, 1e-3, 1e37], instance_seeds=SEEDS)
    with pytest.raises(DivergedError) as once:
        train(data, model, recipe)
    with pieces.helped(helper), pytest.raises(DivergedError) as cut:
        train(data, model, recipe)
    assert str(cut.value) == str(once.value)
    assert "instance 2" in str(once.value)
    kept = train(data, model, recipe, diverged="keep")
    with pieces.helped(helper):
        compare(train(data, model, recipe, diverged="keep"), kept)
    assert kept.diverged.tolist() == [False, False, True, False, True]


def test_nothing_is_cut_without_help_nor_where_pieces_would_be_short() -> None:
    def refuse(offered: Sequence[pieces.Piece]) -> list[Any]:
        raise AssertionError("something was cut")

    train(Data(0.5), Model(3, 2), Recipe(steps=3, batch=8), 5)
    with pieces.helped(refuse):
        train(Data(0.5), Model(3, 2), Recipe(steps=3, batch=8), 5)


def test_a_graphics_card_or_the_reference_is_given_the_whole(helper: Backwards) -> None:
    with pieces.helped(helper):
        train(Data(0.5), Model(3, 2), Recipe(steps=3, batch=8), 5, backend="reference")
    assert helper.done == 0


def test_pieces_have_about_equal_work_and_neighbours_in_the_given_order() -> None:
    seconds = np.array([1.0, 1, 1, 1, 4, 4, 8, 8]) * pieces.SHORTEST
    costs, order = seconds * pieces.MULTIPLY_ADDS_PER_SECOND, np.arange(8)[::-1]
    assert [each.tolist() for each in pieces.shares(costs, order)] == [order.tolist()]
    with pieces.helped(Backwards()):
        found = pieces.shares(costs, order)
    np.testing.assert_array_equal(np.concatenate(found), order)
    assert [each.tolist() for each in found] == [[7], [6], [5], [4], [3, 2, 1, 0]]
