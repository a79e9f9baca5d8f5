"""The sparse CPU kernel against the reference, and its draws against their distribution."""

import numpy as np
import pytest
import torch
from scipy import stats

from experiments.core.training import cpu
from experiments.core.training.cpu_draws import lane_states
from experiments.core.training.cpu_sparse import draw_sparse, list_sparse, listed_sets, rarities, sparse_densities
from experiments.core.training.cpu_sparse_gradient import new_sparse, sparse_gradient
from experiments.core.training.problem import resolve
from experiments.core.training.reference import gradients, to_parameters
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

MODEL = Model(30, 7)  # odd sizes, so that every remainder loop runs


def sparse_samples(count: int, density: float | np.ndarray = 0.05) -> np.ndarray:
    generator = np.random.default_rng(0)
    present = generator.random((count, MODEL.features)) < density
    return (present * generator.random(present.shape)).astype(np.float32)


def raised(instances: int, model: Model = MODEL) -> Weights:
    """Biases of either sign, so that empty samples pass gradient through some outputs."""
    generator = np.random.default_rng(1)
    n, d = model.features, model.hidden
    shapes = {"W": (d, n), "b": (n,), "W_out": (n, d), "b_hidden": (d,)}
    scales = {"W": 0.3, "b": 0.05, "W_out": 0.3, "b_hidden": 0.1}
    drawn = {
        name: (scales[name] * generator.standard_normal((instances, *shape))).astype(np.float32)
        for name, shape in shapes.items()
    }
    W_out, b_hidden = None if model.tied else drawn["W_out"], drawn["b_hidden"] if model.hidden_bias else None
    return Weights(drawn["W"], drawn["b"], W_out, b_hidden)


MODELS = {
    "plain": MODEL,
    "absolute": Model(30, 7, target="absolute"),
    "hidden relu": Model(30, 7, hidden_activation="relu", target="relu"),
    "untied": Model(30, 7, tied=False, hidden_activation="relu", target="absolute"),
    "hidden bias": Model(30, 7, tied=False, hidden_activation="relu", hidden_bias=True, target="relu"),
    "tied, hidden bias": Model(30, 7, hidden_activation="relu", hidden_bias=True, target="relu"),
    "l4": Model(30, 7, tied=False, hidden_activation="relu", target="absolute", loss="l4"),
    "l4, hidden bias": Model(30, 7, hidden_bias=True, loss="l4"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("batch", [37, 24])
def test_sixty_steps_on_the_same_batches_track_the_reference(model: Model, batch: int) -> None:
    # Later, an output that dies has a gradient near zero, and Adam, which divides by its size, magnifies rounding.
    x = sparse_samples(61) * np.where(np.arange(61) % 3, 1, -1)[:, None]  # of either sign
    data = Data(0.01, importance=np.linspace(0.5, 2, MODEL.features), samples=x.astype(np.float32), shuffle=False)
    recipe = Recipe(steps=60, batch=batch, learning_rate=3e-3, start=raised(3, model), weight_decay=0.01)
    assert np.isfinite(sparse_densities(resolve(data, model, recipe))).all()
    fused, reference = (train(data, model, recipe, backend=backend).weights for backend in ("cpu", "reference"))
    for name, expected in to_parameters(reference, "cpu").items():
        np.testing.assert_allclose(getattr(fused, name), expected.numpy(), atol=5e-5, err_msg=name)
        assert np.abs(getattr(fused, name) - getattr(raised(3, model), name)).max() > 0.01, name


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_gradient_is_that_of_automatic_differentiation(model: Model) -> None:
    problem = resolve(Data(0.01, np.linspace(0.5, 2, 30)), model, Recipe(start=raised(1, model)))
    x = sparse_samples(50) * np.where(np.arange(50) % 3, 1, -1)[:, None].astype(np.float32)
    parameters = cpu.parameters_of(problem)
    work = new_sparse(30, 7, model.tied, 50, parameters.shape[1])
    order = np.arange(50, dtype=np.int32)
    present = list_sparse(listed_sets(x[None]), 0, order, 0, 50, work.starts, work.feature, work.value)
    assert 5 < present < 50
    sparse_gradient(cpu.options_of(problem), problem.importance[0], 50, present, work, parameters[0])
    found = to_parameters(cpu.weights_of(problem, work.gradient[None]), "cpu")
    weights, importance = to_parameters(problem.start, "cpu"), torch.tensor(problem.importance)
    _, expected = gradients(model, weights, importance, torch.tensor(x[None]))
    for name, value in expected.items():
        assert (found[name] - value).abs().max() < 1e-5 * value.abs().max(), name


def test_an_instance_trains_alike_alone_and_beside_dense_ones() -> None:
    recipe = Recipe(steps=20, batch=32, instance_seeds=(5, 6))
    mixed = train(Data(np.array([[0.5], [0.01]])), MODEL, recipe).weights
    alone = train(Data(0.01), MODEL, Recipe(steps=20, batch=32, instance_seeds=(6,))).weights
    np.testing.assert_array_equal(mixed.W[1], alone.W[0])


def test_final_losses_are_those_of_the_reference() -> None:
    recipe, x = Recipe(steps=100, batch=128, learning_rate=1e-2), sparse_samples(4000, 0.01)
    losses = []
    for backend in ("cpu", "reference"):
        trained = train(Data(0.01), MODEL, recipe, 16, backend=backend).weights
        y = np.stack([np.maximum((x @ W.T) @ W + b, 0) for W, b in zip(trained.W, trained.b, strict=True)])
        losses.append(((y - x) ** 2).mean((1, 2)))
    assert stats.ks_2samp(*losses).pvalue > 1e-3


def listing(batch: int, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return space for the listed entries of a batch."""
    size = batch * features + 1
    return np.empty(batch + 1, np.int64), np.empty(size, np.uint64), np.empty(size, np.float32)


def test_draws_have_the_asked_density_and_uniform_independent_values() -> None:
    cells, density, batches = 6400, 0.01, 400
    state = lane_states(np.array([3], dtype=np.uint64))[0].copy()
    features, batch = 32, cells // 32
    starts, feature, value = listing(batch, features)
    counts, places, values, present_share = [], [], [], []
    for _ in range(batches):
        present = draw_sparse(state, density, np.ones(features), False, batch, features, starts, feature, value)
        sizes = np.diff(starts[: present + 1])
        assert starts[0] == 0
        assert (sizes > 0).all()
        counts.append(starts[present])
        places.append(feature[: counts[-1]].astype(np.int64))
        values.append(value[: counts[-1]].copy())
        inside = np.repeat(np.arange(present), sizes)
        assert (np.diff(places[-1])[np.diff(inside) == 0] > 0).all()
        present_share.append(present / batch)
    assert np.mean(present_share) == pytest.approx(
        1 - (1 - density) ** features, abs=5 * 0.45 / np.sqrt(batch * batches)
    )
    pooled = np.concatenate(values)
    assert stats.kstest(pooled, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(pooled[1:], pooled[:-1])[0, 1]) < 5 / np.sqrt(pooled.size)
    assert stats.chisquare(np.bincount(np.concatenate(places), minlength=features)).pvalue > 1e-3
    deviation = np.sqrt(cells * density * (1 - density))
    assert np.mean(counts) == pytest.approx(cells * density, abs=5 * deviation / np.sqrt(batches))
    assert np.std(counts) == pytest.approx(deviation, rel=5 / np.sqrt(2 * batches))


def test_every_feature_has_its_own_density_and_uniform_values() -> None:
    density, batch, batches = np.array([0.01, 0.04, 0.002, 0.04]), 500, 400
    problem = resolve(Data(density[None]), Model(4, 2), Recipe(steps=1))
    state = lane_states(np.array([5], dtype=np.uint64))[0].copy()
    starts, feature, value = listing(batch, 4)
    counts, values = np.zeros(4), []
    for _ in range(batches):
        present = draw_sparse(state, 0.04, rarities(problem)[0], False, batch, 4, starts, feature, value)
        assert (np.diff(starts[: present + 1]) > 0).all()
        held = feature[: starts[present]].astype(np.int64)
        counts += np.bincount(held, minlength=4)
        values.append(value[: starts[present]][held == 0])
    expected = density * batch * batches
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
    assert stats.kstest(np.concatenate(values), "uniform").pvalue > 1e-3


def test_losses_at_several_densities_are_those_of_the_reference() -> None:
    density = np.where(np.arange(30) % 3, 0.01, 0.003)[None]
    recipe = Recipe(steps=100, batch=128, learning_rate=1e-2)
    assert np.isfinite(sparse_densities(resolve(Data(density), MODEL, recipe))).all()
    x = sparse_samples(8000, density[0])
    losses = []
    for backend in ("cpu", "reference"):
        trained = train(Data(density), MODEL, recipe, 16, backend=backend).weights
        y = np.stack([np.maximum((x @ W.T) @ W + b, 0) for W, b in zip(trained.W, trained.b, strict=True)])
        losses.append(((y - x) ** 2).mean((1, 2)))
    assert stats.ks_2samp(*losses).pvalue > 1e-3


def test_signed_draws_lie_on_both_sides_of_zero() -> None:
    state = lane_states(np.array([4], dtype=np.uint64))[0].copy()
    starts, feature, value = listing(100, 100)
    present = draw_sparse(state, 0.5, np.ones(100), True, 100, 100, starts, feature, value)
    assert stats.kstest(value[: starts[present]], "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (Data(0.2), MODEL),
        (Data(np.linspace(0, 0.01, 30)[None]), MODEL),
        (Data(np.linspace(0.005, 0.2, 30)[None]), MODEL),
        (Data(0.01), Model(30, 7, output="linear")),
        (Data(0.01), Model(30, 7, tied=False, hidden_activation="relu")),
        (Data(0.01), Model(30, 7, target_mixing=np.eye(30, dtype=np.float32))),
        (Data(0.01, groups=((0, 1),), coupling="correlated"), MODEL),
    ],
)
def test_what_the_sparse_kernel_does_not_serve_goes_to_the_dense_one(data: Data, model: Model) -> None:
    assert np.isnan(sparse_densities(resolve(data, model, Recipe(steps=1)))).all()
