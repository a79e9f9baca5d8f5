"""The reference backend against torch's own optimiser and against sums written as loops."""

import numpy as np
import pytest
import torch

from experiments.core.training.reference import adam_step, gradients, loss, to_parameters
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train


def test_the_loss_is_the_weighted_mean_of_squared_errors() -> None:
    generator = np.random.default_rng(0)
    W, b, x = (generator.standard_normal(shape).astype(np.float32) for shape in ((1, 2, 3), (1, 3), (1, 4, 3)))
    importance = np.array([[1.0, 0.5, 2.0]], np.float32)
    total = 0.0
    for sample in x[0]:
        y = np.maximum(W[0].T @ (W[0] @ sample) + b[0], 0)
        total += (importance[0] * (np.abs(sample) - y) ** 2).sum()
    found = loss(
        Model(3, 2, target="absolute"), to_parameters(Weights(W, b), "cpu"), torch.tensor(importance), torch.tensor(x)
    )
    assert found.item() == pytest.approx(total / 12, rel=1e-5)


def test_adam_is_that_of_torch() -> None:
    recipe = Recipe(learning_rate=0.01, weight_decay=0.1)
    value = torch.tensor([[1.0, -2.0, 0.5]])
    leaf = torch.nn.Parameter(value.clone())
    optimiser = torch.optim.AdamW([leaf], lr=0.01, weight_decay=0.1)
    first, second = torch.zeros_like(value), torch.zeros_like(value)
    for step in range(1, 6):
        gradient = torch.sin(step * torch.arange(3.0))[None]
        leaf.grad = gradient.clone()
        optimiser.step()
        value, first, second = adam_step(recipe, step, torch.tensor([0.01]), value, gradient, first, second)
    torch.testing.assert_close(value, leaf.detach(), rtol=1e-6, atol=1e-7)


def test_an_instance_has_the_gradient_it_would_have_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = {"W": torch.randn(3, 2, 4, generator=generator), "b": torch.randn(3, 4, generator=generator)}
    importance, x = torch.ones(3, 4), torch.rand(3, 16, 4, generator=generator)
    _, together = gradients(Model(4, 2), weights, importance, x)
    one = {name: value[1:2] for name, value in weights.items()}
    _, alone = gradients(Model(4, 2), one, importance[1:2], x[1:2])
    torch.testing.assert_close(together["W"][1], alone["W"][0])


def test_a_linear_model_learns_what_it_should() -> None:
    """With as many hidden units as features the linear model can be exact, so the loss goes to 0."""
    recipe = Recipe(steps=400, batch=64, learning_rate=2e-2, schedule="cosine")
    trained = train(Data(0.3), Model(3, 3, output="linear"), recipe, backend="reference")
    product = trained.weights.W[0].T @ trained.weights.W[0]
    np.testing.assert_allclose(product, np.eye(3), atol=0.02)
