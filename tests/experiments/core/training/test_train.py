"""Which backend runs, and what the record of a run says."""

import numpy as np
import pytest
import torch

from experiments.core import progress
from experiments.core.errors import ReportError
from experiments.core.training.divergence import DivergedError
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import choose_backend, train

RECIPE = Recipe(steps=3, batch=8)


def test_the_cpu_kernel_is_chosen_on_the_cpu_and_recorded() -> None:
    with progress.noting() as notes:
        trained = train(Data(0.5), Model(3, 2), RECIPE)
    assert (trained.backend, trained.device, notes["backend"]) == ("cpu", "cpu", "cpu")
    assert trained.seconds > 0


@pytest.mark.parametrize(
    ("device", "backend", "sentence"),
    [
        ("cpu", "cpus", "did you mean 'cpu'"),
        ("tpu", "auto", "device is 'tpu'"),
        pytest.param(
            "cuda",
            "auto",
            "no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device"),
        ),
    ],
)
def test_an_impossible_choice_is_refused(device: str, backend: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        choose_backend(device, backend)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_progress_reaches_the_end(backend: str) -> None:
    seen: list[float] = []
    with progress.listening(lambda what, fraction: seen.append(fraction)):
        train(Data(0.5), Model(3, 2), RECIPE, backend=backend)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_snapshot_is_what_a_shorter_run_ends_with(backend: str) -> None:
    data, model = Data(0.5), Model(5, 2)
    long = train(data, model, Recipe(steps=20, batch=70, snapshots=(0, 12, 20, 12)), 2, backend=backend)
    short = train(data, model, Recipe(steps=12, batch=70), 2, backend=backend)
    assert long.steps == (0, 12, 20, 12)
    np.testing.assert_array_equal(long.snapshots[1].W, short.weights.W)
    np.testing.assert_array_equal(long.snapshots[3].b, short.weights.b)
    np.testing.assert_array_equal(long.snapshots[2].W, long.weights.W)
    assert (long.snapshots[0].b == 0).all()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("hidden", [2, 12])
def test_divergence_stops_that_instance_alone_with_its_last_finite_weights(backend: str, hidden: int) -> None:
    model, seeds = Model(5, hidden), (1, 2)
    wild = Recipe(steps=30, batch=16, learning_rate=[1e-3, 1e37], instance_seeds=seeds, snapshots=(0, 1, 30))
    calm = Recipe(steps=30, batch=16, learning_rate=1e-3, instance_seeds=seeds)
    trained = train(Data(0.5), model, wild, backend=backend, diverged="keep")
    assert trained.diverged.tolist() == [False, True]
    assert trained.stopped_at[0] == 30
    assert trained.stopped_at[1] < 3
    assert np.isfinite(trained.weights.W).all()
    np.testing.assert_array_equal(trained.snapshots[2].W[1], trained.weights.W[1])
    np.testing.assert_array_equal(trained.weights.W[0], train(Data(0.5), model, calm, backend=backend).weights.W[0])


def test_divergence_is_refused_by_default_saying_how_many_where_and_what_to_do() -> None:
    density = np.array([[0.5, 0.25], [0.5, 0.5], [0.125, 0.125], [0.5, 0.5], [0.0625, 0.0625]])
    recipe = Recipe(
        steps=30, batch=16, learning_rate=[1e37, 1e-3, 1e37, 1e37, 1e37], instance_seeds=(11, 12, 13, 14, 15)
    )
    with pytest.raises(DivergedError) as caught:
        train(Data(density), Model(2, 1), recipe)
    sentence = str(caught.value)
    assert sentence.startswith("4 of 5 models diverged (instance 0 after ")
    assert "density 0.25 to 0.5, learning rate 1e+37, seed 11; instance 2 after " in sentence
    assert "seed 14; and 1 more)" in sentence
    assert 'pass diverged="keep" to train' in sentence
    assert isinstance(caught.value, ReportError)


def test_what_to_do_with_diverged_models_is_raise_or_keep() -> None:
    with pytest.raises(ValueError, match="diverged is 'drop'; known are raise, keep"):
        train(Data(0.5), Model(3, 2), RECIPE, diverged="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_frozen_parameters_keep_their_start_and_the_others_learn(backend: str) -> None:
    model = Model(5, 3, hidden_activation="relu", tied=False, hidden_bias=True)
    recipe = Recipe(steps=20, batch=64, weight_decay=0.1, frozen=("W", "b"), snapshots=(0,), start_bias=0.25)
    trained = train(Data(0.5), model, recipe, 2, backend=backend)
    start, end = trained.snapshots[0], trained.weights
    np.testing.assert_array_equal(end.W, start.W)
    np.testing.assert_array_equal(end.b, np.full((2, 5), 0.25))
    for before, after in ((start.W_out, end.W_out), (start.b_hidden, end.b_hidden)):
        assert before is not None
        assert after is not None
        assert (before != after).reshape(2, -1).any(axis=1).all()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_more_samples_than_a_batch_make_epochs(backend: str) -> None:
    """Full-batch training sees the whole set each step, in whatever order, so all seeds agree."""
    data = Data(0.5, fixed_samples=40)
    same = Recipe(steps=20, batch=1000, instance_seeds=(3, 3))
    W = train(data, Model(4, 2), same, backend=backend).weights.W
    np.testing.assert_array_equal(W[0], W[1])
