"""Starts taken apart."""

import numpy as np

from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.starts import raised_start


def test_a_raised_start_is_that_of_the_recipe_with_the_same_bias_and_seed() -> None:
    model, bias = Model(5, 2), np.array([0.5, 0.4, 0.3, 0.2])
    start = resolve(Data(0.5), model, Recipe(steps=1, seed=3, start_bias=bias[:, None])).start
    raised = raised_start(model, 4, bias, seed=3)
    np.testing.assert_array_equal(raised.W, start.W)
    np.testing.assert_array_equal(raised.b, start.b)
    assert raised.W.std() > 0
