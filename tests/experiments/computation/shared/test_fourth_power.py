"""The kernel minimises the fourth power of a linear output's error: its steps are those of autograd."""

import numpy as np
import pytest
import torch

from experiments.computation.shared.fourth_power import train_fourth
from experiments.core.training.checks import SpecificationError
from experiments.core.training.problem import resolve
from experiments.core.training.reference import adam_step, forward, target, to_parameters
from experiments.core.training.specification import Data, Model, Recipe


def by_autograd(problem, steps):
    """Plain torch: full batches of the explicit data set, fourth power, Adam."""
    x = torch.from_numpy(np.asarray(problem.samples))[None].repeat(problem.instances, 1, 1)
    weights = to_parameters(problem.start, "cpu")
    moments = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in weights.items()}
    for step in range(steps):
        leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
        error = target(problem.model, x) - forward(problem.model, leaves, x)
        (error**4).mean(dim=(1, 2)).sum().backward()
        for name, leaf in leaves.items():
            if name not in problem.recipe.frozen:
                value, *moments[name] = adam_step(
                    problem.recipe, step + 1, torch.tensor(1e-2), leaf.detach(), leaf.grad, *moments[name]
                )
                weights[name] = value
    return weights


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("frozen", [("b",), ()])
def test_steps_are_those_of_autograd(activation, frozen):
    generator = np.random.default_rng(0)
    samples = (2 * generator.random((70, 9)) - 1) * (generator.random((70, 9)) < 0.4)
    mixing = 0.2 * generator.standard_normal((9, 9)).astype(np.float32)
    model = Model(9, 4, output="linear", hidden_activation=activation, tied=False, target="relu", target_mixing=mixing)
    data = Data(1.0, samples=samples.astype(np.float32), shuffle=False)
    recipe = Recipe(5, batch=70, learning_rate=1e-2, frozen=frozen, instance_seeds=(3, 4))
    found = train_fourth(data, model, recipe)
    expected = by_autograd(resolve(data, model, recipe), 5)
    for name in ("W", "W_out", "b"):
        np.testing.assert_allclose(getattr(found, name), expected[name].numpy(), rtol=2e-4, atol=2e-6)
    assert (found.b == 0).all() == bool(frozen)


def test_an_instance_depends_on_its_own_seed_alone():
    model = Model(12, 3, output="linear", hidden_activation="relu", tied=False, target="relu")
    data, recipe = Data(0.2, signed=True), Recipe(30, batch=64, instance_seeds=(5, 6, 7))
    together = train_fourth(data, model, recipe).W
    alone = train_fourth(data, model, Recipe(30, batch=64, instance_seeds=(6,))).W
    np.testing.assert_array_equal(together[1], alone[0])
    assert not np.allclose(together[0], together[1])


def test_a_model_that_it_does_not_serve_is_refused_by_name():
    with pytest.raises(SpecificationError, match="output='relu'"):
        train_fourth(Data(0.1), Model(4, 2, tied=False), Recipe(1))
    with pytest.raises(SpecificationError, match="hidden is 0"):
        train_fourth(Data(0.1), Model(4, 0, output="linear", tied=False), Recipe(1))
