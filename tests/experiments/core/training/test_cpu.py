"""The CPU kernels against the reference, and what must not change their results."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from experiments.core import progress
from experiments.core.losses.evaluation import evaluate
from experiments.core.losses.exact import expected_loss
from experiments.core.training import cpu, reference
from experiments.core.training.cpu_draws import TILE
from experiments.core.training.cpu_kernel import new_scratch, tile_gradient
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train


def mixing(*sizes: int) -> np.ndarray:
    """Return a mixing matrix per instance (instance, feature, feature), or one for all (feature, feature)."""
    return np.random.default_rng(2).normal(0, 0.3, (*sizes, sizes[-1])).astype(np.float32)


MODELS = [
    Model(5, 2),
    Model(7, 3, output="linear"),
    Model(6, 7, hidden_activation="relu", tied=False, target="absolute"),
    Model(9, 1, tied=False, output="linear"),
    Model(8, 4, hidden_activation="relu"),
    Model(23, 6, target="absolute"),
    Model(9, 5, hidden_activation="relu", hidden_bias=True),
    Model(9, 4, hidden_activation="relu", hidden_bias=True, tied=False, target="relu"),
    Model(6, 3, hidden_bias=True, output="linear", target="relu"),
    Model(7, 5, hidden_activation="relu", tied=False, target="absolute", loss="l4"),
    Model(5, 2, loss="l4"),
    Model(7, 3, hidden_activation="relu", tied=False, output="linear", target="relu", target_mixing=mixing(7)),
    Model(5, 2, target_mixing=mixing(5)),
    Model(6, 3, tied=False, hidden_activation="relu", target="absolute", target_mixing=mixing(2, 6)),
]


def random_weights(model: Model, instances: int) -> Weights:
    generator = np.random.default_rng(0)
    W, b, out, b_hidden = (
        generator.standard_normal(shape).astype(np.float32)
        for shape in (
            (instances, model.hidden, model.features),
            (instances, model.features),
            (instances, model.features, model.hidden),
            (instances, model.hidden),
        )
    )
    return Weights(W, b, None if model.tied else out, b_hidden if model.hidden_bias else None)


def some_samples(model: Model, count: int) -> np.ndarray:
    generator = np.random.default_rng(1)
    x = generator.uniform(-1, 1, (count, model.features)) * (generator.random((count, model.features)) < 0.4)
    return x.astype(np.float32)


def kernel_gradient(problem: Any, x: np.ndarray) -> Weights:
    """Return the gradient of the dense kernel on at most a tile of given samples, as weights."""
    options, parameters = cpu.options_of(problem), cpu.parameters_of(problem)
    model, width = problem.model, parameters.shape[1]
    scratch = new_scratch(model.features, model.hidden, width)
    tile = scratch.x.reshape(model.features, TILE)
    tile[:, : len(x)] = x.T
    tile[:, len(x) :] = 9  # stale numbers that must not count
    found = np.zeros_like(parameters)
    for i, row in enumerate(parameters):
        weight = np.float32(2 / (len(x) * model.features))
        mixing = np.zeros(0, np.float32) if problem.mixing is None else problem.mixing[i % len(problem.mixing)].ravel()
        tile_gradient(options, problem.importance[i], weight, len(x), mixing, row, scratch, found[i])
    return cpu.weights_of(problem, found)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("count", [TILE, 37])
def test_the_gradient_is_that_of_automatic_differentiation(model: Model, count: int) -> None:
    importance = np.linspace(0.5, 2, model.features)
    problem = resolve(Data(0.4, importance), model, Recipe(start=random_weights(model, 2)))
    x = some_samples(model, count)
    found = reference.to_parameters(kernel_gradient(problem, x), "cpu")
    batch = torch.tensor(np.stack([x, x]))
    weights = reference.to_parameters(problem.start, "cpu")
    _, expected = reference.gradients(model, weights, torch.tensor(problem.importance), batch)
    for name, value in expected.items():
        error = (found[name] - value).abs().amax() / value.abs().amax()
        assert error < 1e-5, name


@pytest.mark.parametrize("model", MODELS)
def test_a_hundred_steps_on_the_same_batches_track_the_reference(model: Model) -> None:
    data = Data(0.4, np.linspace(0.5, 2, model.features), samples=some_samples(model, 300), shuffle=False)
    recipe = Recipe(
        steps=100, batch=70, learning_rate=[1e-2, 1e-3], warmup=10, schedule="cosine", weight_decay=0.01, beta2=0.99
    )
    fused, plain = (train(data, model, recipe, backend=backend).weights for backend in ("cpu", "reference"))
    np.testing.assert_allclose(fused.W, plain.W, atol=1e-3)
    np.testing.assert_allclose(fused.b, plain.b, atol=1e-3)
    if fused.W_out is not None and plain.W_out is not None:
        np.testing.assert_allclose(fused.W_out, plain.W_out, atol=1e-3)


GROUPED = Data(np.array([[0.3], [0.1]]), coupling="correlated", groups=((0, 1),), strength=0.5)


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (Data(np.array([[0.3], [0.9]])), Model(5, 2)),  # written out
        (Data(np.array([[0.3], [0.001]])), Model(20, 5)),  # dense and sparse
        (GROUPED, Model(5, 2)),
        (Data(np.array([[0.3], [0.9]]), fixed_samples=100), Model(5, 2)),
    ],
)
def test_bytes_depend_on_the_own_seed_alone_whatever_the_threads(data: Data, model: Model) -> None:
    recipe = Recipe(steps=30, batch=100, instance_seeds=(11, 12))
    problem = resolve(data, model, recipe)
    one, two = (cpu.train_cpu(problem, threads).weights for threads in (1, 2))
    assert one.W.tobytes() == two.W.tobytes()
    density = np.asarray(data.density)[1:]
    alone = train(replace(data, density=density), model, replace(recipe, instance_seeds=(12,))).weights
    assert alone.W.tobytes() == two.W[1:].tobytes()
    assert alone.b.tobytes() == two.b[1:].tobytes()


def test_results_do_not_depend_on_how_steps_are_cut_into_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, recipe = Data(0.3, fixed_samples=50), Model(5, 2), Recipe(steps=20, batch=16)
    whole = train(data, model, recipe).weights.W
    monkeypatch.setattr(cpu, "CHUNK_WORK", 1)
    assert train(data, model, recipe).weights.W.tobytes() == whole.tobytes()


@pytest.mark.parametrize("data", [Data(0.2), Data(0.2, fixed_samples=400)])
def test_final_losses_of_many_seeds_are_those_of_the_reference(data: Data) -> None:
    model, recipe = Model(5, 2), Recipe(steps=150, batch=64, learning_rate=1e-2)
    losses = [
        evaluate(train(data, model, recipe, 256, backend=backend).weights, data, model, samples=1 << 14).loss
        for backend in ("cpu", "reference")
    ]
    assert stats.ks_2samp(*losses).pvalue > 1e-3
    assert losses[0].std() > 0.05 * losses[0].mean()  # seeds differ, so the test can see


POLYGON = Data(0.2, coupling="anticorrelated", groups=((0, 1, 2, 3, 4),))
"""Exactly one of five features is active: the limit in which the regular pentagon has a closed form."""


def test_one_active_feature_of_five_gives_the_pentagon_of_the_theory() -> None:
    """Norm, bias and loss of Chen et al. 2023 (arXiv 2310.06301), whose loss sums over the five features."""
    model = Model(5, 2)
    recipe = Recipe(steps=6000, batch=256, learning_rate=1e-2, schedule="cosine")
    trained = train(POLYGON, model, recipe, 24)
    losses = evaluate(trained.weights, POLYGON, model, samples=1 << 17)
    best = int(losses.loss.argmin())
    assert 5 * losses.loss[best] == pytest.approx(0.01583, abs=3 * 5 * losses.standard_error[best] + 1e-4)
    np.testing.assert_allclose(np.linalg.norm(trained.weights.W[best], axis=0), 1.17046, atol=0.02)
    np.testing.assert_allclose(trained.weights.b[best], -0.28230, atol=0.02)


@pytest.mark.parametrize(("density", "loss"), [(0.9, 0.9 / 3 - 0.81 / 4), (0.05, 2 * 0.05**2 / 6)])
def test_two_features_in_one_dimension_reach_the_phase_of_the_theory(density: float, loss: float) -> None:
    """Dense: one feature is dedicated and the other's mean is the bias; sparse: an antipodal pair (bias 0)."""
    model = Model(2, 1)
    recipe = Recipe(steps=4000, batch=256, learning_rate=1e-2, schedule="cosine")
    trained = train(Data(density), model, recipe, 16)
    found = 2 * expected_loss(trained.weights.W, trained.weights.b, density).value.min()
    assert 0.9 * loss < found < 1.01 * loss  # a free bias and scale may do slightly better, never much worse


def test_bytes_of_memory_grow_with_models_not_with_batches() -> None:
    """4096 instances of (5, 2): weights, moments, lanes; a batch of 2^16 adds nothing."""
    problem = resolve(Data(0.1), Model(5, 2), Recipe(steps=1, batch=1 << 16), 4096)
    parameters = cpu.parameters_of(problem)
    block = cpu.block_of(problem, parameters, np.zeros((4096, 0, parameters.shape[1]), np.float32), np.arange(4096))
    assert sum(array.nbytes for array in block) < 16 << 20


def test_a_block_of_fixed_data_sets_stays_small() -> None:
    problem = resolve(Data(0.1, fixed_samples=200_000), Model(40, 2), Recipe(steps=1), 64)
    run = cpu._Run(problem, cpu.options_of(problem), cpu.shared_by_all(problem), cpu.parameters_of(problem))
    sizes = [len(block) for block in run._blocks(threads=2)]
    assert sum(sizes) == 64
    assert max(sizes) * 200_000 * 40 * 4 <= max(cpu.SET_BYTES, 200_000 * 40 * 4)


def test_an_interruption_is_heard_within_a_chunk() -> None:
    def interrupt(what: str, fraction: float) -> None:
        raise KeyboardInterrupt

    problem = resolve(Data(0.3), Model(20, 5), Recipe(steps=1_000_000), 4)
    with progress.listening(interrupt), pytest.raises(KeyboardInterrupt):
        cpu.train_cpu(problem)  # some minutes, were it not interrupted


@pytest.mark.parametrize("asked", ["0", "two", "-1"])
def test_an_impossible_number_of_threads_is_named(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_THREADS", asked)
    with pytest.raises(ValueError, match=f"REPORT_THREADS is '{asked}'"):
        cpu.thread_count()


def test_the_number_of_threads_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_THREADS", "1")
    assert train(Data(0.3), Model(5, 2), Recipe(steps=2, batch=8), 4).threads == 1
