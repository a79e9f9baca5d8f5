"""The fused kernel against plain torch: outputs, gradients, steps and measures."""

import numpy as np
import pytest
import torch

from experiments.core.training.seeds import DATA
from experiments.mixtures.shared.mixture_forward import new_space, shape_of
from experiments.mixtures.shared.mixture_kernel import batch_gradient, train_steps
from experiments.mixtures.shared.mixture_measures import measure
from experiments.mixtures.shared.mixture_model import Mixture, dense, flat, start, unflat
from experiments.mixtures.shared.mixture_reference import mixture_loss, mixture_output
from experiments.mixtures.shared.mixture_samples import Source, as_array, as_samples, draw, first_state, new_samples

FEATURES = 11
MODELS = {
    "dense": dense(4),
    "top-1": Mixture(4, 2, 1),
    "top-3": Mixture(4, 2, 3),
    "all active": Mixture(3, 2, 3),
    "balanced": Mixture(4, 2, 2, balance=0.3),
    "balanced top-1": Mixture(4, 2, 1, balance=0.3),
    "plain softmax": Mixture(4, 2, 1, renormalised=False),
    "plain softmax, two": Mixture(4, 2, 2, renormalised=False, balance=0.1),
    "bottleneck router": Mixture(4, 2, 2, router="bottleneck"),
    "bottleneck router, plain": Mixture(4, 1, 1, router="bottleneck", renormalised=False, balance=0.1),
    "hash": Mixture(4, 2, 2, router="hash"),
    "label": Mixture(4, 2, 1, router="label"),
    "best": Mixture(4, 2, 1, router="best"),
    "k-hot": Mixture(4, 2, 2, gate_start="k-hot"),
    "top-k bottleneck": Mixture(1, 6, units=2),
}


def batch_of(density, count=64, seed=3):
    source = Source(FEATURES, density)
    samples = new_samples(source, count)
    draw(source, first_state(seed, DATA), samples)
    samples.label[:] = np.arange(count) % 7
    return samples


def torch_side(model, parts, samples, importance):
    x = torch.from_numpy(as_array(samples, FEATURES)).double()
    values = [torch.from_numpy(part).double().requires_grad_() for part in (parts.W, parts.b, parts.gate)]
    found = mixture_output(model, *values, x, torch.from_numpy(samples.label), torch.from_numpy(parts.home))
    return x, values, found, mixture_loss(model, found, x, torch.from_numpy(importance).double())


def ready(model, seed=1):
    parts = start(model, FEATURES, 0.1, seed)
    # Larger weights than a start's, so that gates, ReLUs and experts all matter.
    return unflat(model, 2 * flat(model, parts), FEATURES, parts.home)


@pytest.mark.parametrize("density", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_is_that_of_autograd(name, density):
    model, samples = MODELS[name], batch_of(density)
    parts, importance = ready(model), np.linspace(0.5, 2, FEATURES).astype(np.float32)
    _, values, _, loss = torch_side(model, parts, samples, importance)
    loss.backward()
    shape = shape_of(model, FEATURES)
    space = new_space(shape)
    batch_gradient(shape, samples, parts.home, importance, 0, 64, space, flat(model, parts))
    found = unflat(model, space.gradient, FEATURES, parts.home)
    for ours, theirs in zip((found.W, found.b, found.gate), values, strict=True):
        wanted = np.zeros(ours.shape) if theirs.grad is None else theirs.grad.numpy()
        np.testing.assert_allclose(ours, wanted, rtol=2e-4, atol=2e-7)
    assert np.abs(found.W).max() > 1e-4


@pytest.mark.parametrize("name", ["top-1", "hash", "label", "best"])
def test_a_gate_whose_single_weight_is_always_one_gets_no_gradient(name):
    samples, model = batch_of(0.3), MODELS[name]
    shape, parts = shape_of(model, FEATURES), ready(model)
    space = new_space(shape)
    batch_gradient(shape, samples, parts.home, np.ones(FEATURES, np.float32), 0, 64, space, flat(model, parts))
    assert np.abs(unflat(model, space.gradient, FEATURES, parts.home).gate).max() == 0


@pytest.mark.parametrize("name", ["dense", "top-3", "plain softmax, two", "bottleneck router"])
def test_steps_follow_torchs_adam(name):
    model, steps, batch = MODELS[name], 20, 16
    samples, parts = batch_of(0.3, steps * batch), ready(model)
    row, shape, ones = flat(model, parts), shape_of(model, FEATURES), np.ones(FEATURES, np.float32)
    moments = np.zeros_like(row), np.zeros_like(row)
    half = steps // 2
    first = as_samples(as_array(samples, FEATURES)[: half * batch])
    second = as_samples(as_array(samples, FEATURES)[half * batch :])
    for taken, part in ((0, first), (half, second)):
        rates = np.full(half, 1e-2)
        assert train_steps(shape, part, parts.home, ones, rates, taken, new_space(shape), row, *moments)
    x = torch.from_numpy(as_array(samples, FEATURES))
    values = [torch.from_numpy(part.copy()).requires_grad_() for part in (parts.W, parts.b, parts.gate)]
    adam = torch.optim.Adam(values, lr=1e-2)
    for step in range(steps):
        adam.zero_grad()
        seen = x[step * batch : (step + 1) * batch]
        found = mixture_output(model, *values, seen, torch.zeros(batch, dtype=int), torch.from_numpy(parts.home))
        mixture_loss(model, found, seen, torch.ones(FEATURES)).backward()
        adam.step()
    trained = unflat(model, row, FEATURES, parts.home)
    np.testing.assert_allclose(trained.W, values[0].detach().numpy(), atol=2e-4)
    np.testing.assert_allclose(trained.b, values[1].detach().numpy(), atol=2e-4)


@pytest.mark.parametrize("name", MODELS)
def test_measures_are_those_of_plain_torch(name):
    model, samples = MODELS[name], batch_of(0.2, 300)
    parts, importance = ready(model), np.linspace(0.5, 2, FEATURES).astype(np.float32)
    x, values, found, _ = torch_side(model, parts, samples, importance)
    y, weight = found.y.detach(), found.weight.detach()
    shape = shape_of(model, FEATURES)
    measured = measure(model, shape, samples, importance, new_space(shape), flat(model, parts), parts)
    weights = torch.from_numpy(importance).double()
    assert measured.loss == pytest.approx(float((weights * (y - x) ** 2).mean()), rel=1e-4)
    W, energy = values[0].detach(), float((x**2).sum())
    h = torch.einsum("ehi,si->seh", W, x)
    kept = torch.ones_like(h)
    if model.units:
        kept = torch.zeros_like(h).scatter(-1, h.abs().topk(model.units, dim=-1).indices, 1.0)
    overlap = torch.einsum("ehi,seh,ehj->seij", W, kept, W)
    cross = torch.einsum("seij,sj->sei", overlap * (1 - torch.eye(FEATURES)), x)
    share = weight / weight.sum(-1, keepdim=True)
    assert measured.routed == pytest.approx(float((share * (cross**2).sum(-1)).sum()) / energy, rel=1e-4)
    full = torch.einsum("ehi,ehj->eij", W, W) * (1 - torch.eye(FEATURES))
    everywhere = (torch.einsum("eij,sj->sei", full, x) ** 2).sum(-1).mean(1).sum()
    assert measured.general == pytest.approx(float(everywhere) / energy, rel=1e-4)
    used = (weight[(x > 0).any(1)] > 0).double().mean(0) / model.active
    np.testing.assert_allclose(measured.use, used.numpy(), atol=1e-9)
