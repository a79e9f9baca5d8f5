"""How many instances there are, where they start and at which rate they learn."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from experiments.core.training.problem import rate_factors, resolve
from experiments.core.training.seeds import START, stream, stream_key
from experiments.core.training.specification import Data, Model, Recipe, Weights, log_spaced_steps

MODEL = Model(4, 2)


@pytest.mark.parametrize(
    ("data", "recipe", "asked", "instances"),
    [
        (Data(0.1), Recipe(), None, 1),
        (Data(np.full(4, 0.1)), Recipe(), None, 1),
        (Data(np.full((3, 1), 0.1)), Recipe(), None, 3),
        (Data(0.1, importance=np.ones((3, 4))), Recipe(learning_rate=np.full(3, 1e-3)), None, 3),
        (Data(np.full((1, 4), 0.1)), Recipe(instance_seeds=(1, 2)), None, 2),
        (Data(0.1), Recipe(start_scale=np.ones(5)), 5, 5),
        (Data(0.1), Recipe(start_bias=np.full((3, 1), 0.05)), None, 3),
    ],
)
def test_instances_follow_from_whatever_has_an_instance_axis(
    data: Data, recipe: Recipe, asked: int | None, instances: int
) -> None:
    problem = resolve(data, MODEL, recipe, asked)
    assert problem.density.shape == problem.importance.shape == (instances, 4)
    assert problem.learning_rate.shape == problem.strength.shape == problem.seeds.shape == (instances,)
    assert problem.start.W.shape == (instances, 2, 4)


def test_fields_that_disagree_are_all_named() -> None:
    data, recipe = Data(np.full((3, 1), 0.1)), Recipe(learning_rate=[1e-3, 1e-2])
    with pytest.raises(ValueError, match="not agreed: instances 4, density 3, learning_rate 2"):
        resolve(data, MODEL, recipe, 4)


def test_xavier_has_the_deviation_of_one_model_however_many_train() -> None:
    """A 3-D tensor through torch's xavier_normal_ would count instances as fan; 2 / (hidden + feature) does not."""
    for instances in (20, 400):
        W = resolve(Data(0.1), Model(50, 10), Recipe(), instances).start.W
        assert W.std() == pytest.approx((2 / 60) ** 0.5, rel=4 / (2 * W.size) ** 0.5)


def test_starts_depend_on_the_own_seed_alone() -> None:
    both = resolve(Data(0.1), MODEL, Recipe(instance_seeds=(7, 8), start="normal")).start.W
    alone = resolve(Data(0.1), MODEL, Recipe(instance_seeds=(8,), start="normal")).start.W
    np.testing.assert_array_equal(both[1], alone[0])


def test_a_start_is_scaled_per_instance() -> None:
    recipe = Recipe(instance_seeds=(7, 7), start_scale=[1.0, 0.5])
    W = resolve(Data(0.1), MODEL, recipe).start.W
    np.testing.assert_allclose(W[1], W[0] / 2, rtol=1e-6)


@pytest.mark.parametrize("bias", [0.25, [0.1, 0.2, 0.3, 0.4], [[0.1], [0.2]], np.arange(8.0).reshape(2, 4)])
def test_start_biases_broadcast_and_leave_the_weights_alone(bias: ArrayLike) -> None:
    start = resolve(Data(0.1), MODEL, Recipe(start_bias=bias), 2).start
    np.testing.assert_array_equal(start.b, np.broadcast_to(np.asarray(bias, np.float32), (2, 4)))
    np.testing.assert_array_equal(start.W, resolve(Data(0.1), MODEL, Recipe(), 2).start.W)


def test_given_weights_are_taken_as_they_are_and_copied() -> None:
    given = Weights(np.ones((1, 2, 4), np.float32), np.full((1, 4), 2, np.float32))
    start = resolve(Data(0.1), MODEL, Recipe(start=given), 3).start
    start.W[0] = 9
    assert (start.W[1:] == 1).all()
    assert (start.b == 2).all()
    assert (given.W == 1).all()


def test_default_seeds_and_streams_never_repeat() -> None:
    seeds = np.concatenate([resolve(Data(0.1), MODEL, Recipe(seed=s), 2000).seeds for s in (0, 1)])
    keys = {stream_key(seed, purpose) for seed in seeds for purpose in range(5)}
    assert len(keys) == 4000 * 5
    assert stream(seeds[0], START).random() != stream(seeds[1], START).random()


def test_the_rate_warms_up_then_follows_its_schedule() -> None:
    np.testing.assert_allclose(rate_factors(Recipe(steps=4, warmup=2)), [0.5, 1, 1, 1])
    stepped = rate_factors(Recipe(steps=10, schedule="step", step_at=0.8, step_factor=0.1))
    np.testing.assert_allclose(stepped, [1] * 8 + [0.1] * 2)
    cosine = rate_factors(Recipe(steps=101, schedule="cosine"))
    np.testing.assert_allclose(cosine[[0, 50]], [1, 0.5 * (1 + np.cos(np.pi * 50 / 101))])
    assert 0 < cosine[-1] < 1e-3


def test_log_spaced_steps_begin_at_the_start_and_end_at_the_end() -> None:
    steps = log_spaced_steps(1000, 12)
    assert steps[:2] == (0, 1)
    assert steps[-1] == 1000
    assert list(steps) == sorted(set(steps))
