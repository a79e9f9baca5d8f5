"""The sparse CPU kernel against the reference, and its draws against their distribution."""

import numpy as np
import pytest
from scipy import stats

from experiments.core.training.cpu_draws import lane_states
from experiments.core.training.cpu_sparse import draw_sparse, sparse_densities
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

MODEL = Model(30, 7)  # odd sizes, so that every remainder loop runs


def sparse_samples(count: int, density: float = 0.05) -> np.ndarray:
    generator = np.random.default_rng(0)
    present = generator.random((count, MODEL.features)) < density
    return (present * generator.random(present.shape)).astype(np.float32)


def raised(instances: int) -> Weights:
    """Biases of either sign, so that empty samples pass gradient through some outputs."""
    generator = np.random.default_rng(1)
    W = 0.3 * generator.standard_normal((instances, MODEL.hidden, MODEL.features))
    b = 0.05 * generator.standard_normal((instances, MODEL.features))
    return Weights(W.astype(np.float32), b.astype(np.float32))


@pytest.mark.parametrize("batch", [37, 24])
def test_a_hundred_steps_on_the_same_batches_track_the_reference(batch: int) -> None:
    data = Data(0.01, importance=np.linspace(0.5, 2, MODEL.features), samples=sparse_samples(61), shuffle=False)
    recipe = Recipe(steps=100, batch=batch, learning_rate=3e-3, start=raised(3), weight_decay=0.01)
    assert np.isfinite(sparse_densities(resolve(data, MODEL, recipe))).all()
    fused, reference = (train(data, MODEL, recipe, backend=backend).weights for backend in ("cpu", "reference"))
    np.testing.assert_allclose(fused.W, reference.W, atol=2e-4)
    np.testing.assert_allclose(fused.b, reference.b, atol=2e-4)


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
        present = draw_sparse(state, density, False, batch, features, starts, feature, value)
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


def test_signed_draws_lie_on_both_sides_of_zero() -> None:
    state = lane_states(np.array([4], dtype=np.uint64))[0].copy()
    starts, feature, value = listing(100, 100)
    present = draw_sparse(state, 0.5, True, 100, 100, starts, feature, value)
    assert stats.kstest(value[: starts[present]], "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (Data(0.2), MODEL),
        (Data(np.linspace(0.005, 0.01, 30)[None]), MODEL),
        (Data(0.01), Model(30, 7, output="linear")),
        (Data(0.01, groups=((0, 1),), coupling="correlated"), MODEL),
    ],
)
def test_what_the_sparse_kernel_does_not_serve_goes_to_the_dense_one(data: Data, model: Model) -> None:
    assert np.isnan(sparse_densities(resolve(data, model, Recipe(steps=1)))).all()
