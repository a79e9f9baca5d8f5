"""The transformer's loss and its gradient by hand, against automatic differentiation."""

import numpy as np
import torch

from experiments.language_model.shared.corpus import TextConfig
from experiments.language_model.shared.network_config import NetworkConfig
from experiments.language_model.shared.transformer_model import (
    Weights,
    first_weights,
    forward,
    gradient,
    losses,
    shapes,
    split,
)

SMALL = NetworkConfig(text=TextConfig(entries=50), model=16, mlp=24, heads=2, context=9)


def tokens(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 50, (count, SMALL.context + 1))


def loss_by_torch(flat: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    parts = flat.split([int(np.prod(shape)) for shape in shapes(SMALL).values()])
    w = Weights(*(part.reshape(shape) for part, shape in zip(parts, shapes(SMALL).values(), strict=True)))
    batch, context = len(ids), SMALL.context

    def norm(x: torch.Tensor) -> torch.Tensor:
        return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-5)

    x0 = w.E[ids[:, :-1]] + w.P
    q, k, v = (each.reshape(batch, context, 2, 8).transpose(1, 2) for each in (norm(x0) @ w.W_QKV).chunk(3, -1))
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    x1 = x0 + attended.transpose(1, 2).reshape(batch, context, 16) @ w.W_O
    x2 = x1 + torch.relu(norm(x1) @ w.W_in + w.b_in) @ w.W_out + w.b_out
    return torch.nn.functional.cross_entropy((x2 @ w.U).flatten(0, 1), ids[:, 1:].flatten())


def test_loss_and_gradient_are_those_of_automatic_differentiation():
    flat = 2 * first_weights(SMALL, 0) + np.float32(0.01)
    exact = torch.tensor(flat, dtype=torch.float64, requires_grad=True)
    wanted = loss_by_torch(exact, torch.tensor(tokens()))
    wanted.backward()
    loss, found = gradient(flat, SMALL, tokens())
    assert abs(loss - wanted.item()) < 1e-5
    assert exact.grad is not None
    slopes = exact.grad.numpy()
    for name, part in split(slopes, SMALL)._asdict().items():
        assert np.abs(part).max() > 1e-6, f"{name} has no gradient, so this would pass whatever it were"
    np.testing.assert_allclose(found, slopes, atol=2e-6 * np.abs(slopes).max())


def test_no_position_sees_a_later_token():
    w, ids = split(first_weights(SMALL, 1), SMALL), tokens(1)[:, :-1]
    changed = ids.copy()
    changed[0, 5:] = (changed[0, 5:] + 1) % 50
    before, after = forward(w, ids, 2).x2, forward(w, changed, 2).x2
    np.testing.assert_array_equal(before[:5], after[:5])
    assert np.abs(before[5:] - after[5:]).max() > 1e-3


def test_the_loss_of_equal_logits_is_the_logarithm_of_the_number_of_tokens():
    w = split(first_weights(SMALL, 0), SMALL)
    found = losses(w._replace(U=np.zeros_like(w.U)), np.ones((7, 16), np.float32), np.arange(7))
    np.testing.assert_allclose(found, np.log(50), rtol=1e-6)
