"""Losses on the common set against the reference, against closed forms and against each other."""

import numpy as np
import pytest
import torch

from experiments.core.losses.evaluation import evaluate
from experiments.core.training import reference
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe, Weights

SAMPLES = 1 << 15


def weights(model: Model, instances: int, scale: float = 0.5) -> Weights:
    recipe = Recipe(start="normal", start_scale=scale)
    start = resolve(Data(0.1), model, recipe, instances).start
    return Weights(start.W, start.b + np.float32(0.1), start.W_out)


@pytest.mark.parametrize("model", [Model(5, 2), Model(4, 6, tied=False, hidden_activation="relu", target="absolute")])
def test_on_given_samples_it_is_the_reference_loss_exactly(model: Model) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (100, model.features)).astype(np.float32)
    data = Data(0.1, np.linspace(1, 2, model.features), samples=x)
    models = weights(model, 3)
    found = evaluate(models, data, model)
    importance = torch.tensor(resolve(data, model, Recipe(start=models)).importance)
    expected = reference.loss(
        model, reference.to_parameters(models, "cpu"), importance, torch.tensor(x).expand(3, -1, -1)
    )
    np.testing.assert_allclose(found.loss, expected.numpy(), rtol=1e-5)
    assert (found.standard_error == 0).all()


def test_a_model_of_nothing_has_the_second_moment_of_the_data_as_loss() -> None:
    model, density = Model(4, 2), np.array([0.05, 0.2, 0.5, 1.0])
    nothing = Weights(np.zeros((1, 2, 4), np.float32), np.zeros((1, 4), np.float32))
    found = evaluate(nothing, Data(density, importance=[1, 2, 3, 4]), model, SAMPLES)
    second_moment = density / 3
    noise = np.sqrt((density / 5 - second_moment**2) / SAMPLES)
    assert (abs(found.feature_loss[0] - second_moment) < 4.5 * noise).all()
    expected = (second_moment * [1, 2, 3, 4]).mean()
    assert abs(found.loss[0] - expected) < 4.5 * found.standard_error[0]
    np.testing.assert_allclose(found.loss[0], (found.feature_loss[0] * [1, 2, 3, 4]).mean(), rtol=1e-6)


def test_the_standard_error_is_the_spread_over_sets() -> None:
    model, data = Model(5, 2), Data(0.2)
    sets = [evaluate(weights(model, 1), data, model, 2000, seed=seed) for seed in range(200)]
    spread = np.std([found.loss[0] for found in sets])
    claimed = np.mean([found.standard_error[0] for found in sets])
    assert spread == pytest.approx(claimed, rel=4.5 / (2 * 200) ** 0.5)


def test_all_instances_see_the_same_samples() -> None:
    model = Model(5, 2)
    one = weights(model, 1)
    copies = Weights(np.repeat(one.W, 3, 0), np.repeat(one.b, 3, 0))
    found = evaluate(copies, Data(0.2), model, SAMPLES)
    assert len(set(found.loss)) == 1
    assert evaluate(one, Data(0.2), model, SAMPLES).loss[0] == found.loss[0]


def test_bytes_do_not_depend_on_threads_and_do_on_the_seed() -> None:
    model, data = Model(5, 2), Data(np.linspace(0.1, 1, 7)[:, None])
    one, two = (evaluate(weights(model, 7), data, model, 5000, threads=threads) for threads in (1, 2))
    assert one.loss.tobytes() == two.loss.tobytes()
    assert one.feature_loss.tobytes() == two.feature_loss.tobytes()
    assert (evaluate(weights(model, 7), data, model, 5000, seed=1).loss != one.loss).all()


def test_instances_of_one_seed_see_the_samples_of_that_seed() -> None:
    model, data = Model(5, 2), Data(0.2)
    models = weights(model, 4)
    found = evaluate(models, data, model, 5000, seed=[3, 8, 3, 8]).loss
    for seed, chosen in ((3, [0, 2]), (8, [1, 3])):
        np.testing.assert_array_equal(found[chosen], evaluate(models, data, model, 5000, seed=seed).loss[chosen])
    with pytest.raises(ValueError, match="3 seeds for 4 instances"):
        evaluate(models, data, model, 5000, seed=[1, 2, 3])


def test_one_set_of_weights_is_evaluated_at_every_density() -> None:
    model, density = Model(5, 2), np.array([[0.1], [0.5], [0.9]])
    found = evaluate(weights(model, 1), Data(density), model, SAMPLES)
    single = evaluate(weights(model, 1), Data(0.5), model, SAMPLES)
    assert found.loss.shape == (3,)
    assert found.loss[1] == single.loss[0]


def test_a_fixed_data_set_is_not_what_is_evaluated_on() -> None:
    model = Model(5, 2)
    fixed, fresh = (evaluate(weights(model, 2), data, model, 5000) for data in (Data(0.2, fixed_samples=9), Data(0.2)))
    np.testing.assert_array_equal(fixed.loss, fresh.loss)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="samples is 1"):
        evaluate(weights(Model(5, 2), 1), Data(0.2), Model(5, 2), samples=1)
