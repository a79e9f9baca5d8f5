"""Starts with biases other than zero."""

import numpy as np

from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.starts import raised_start


def test_a_raised_start_has_the_weights_of_the_xavier_start_and_the_asked_bias() -> None:
    model = Model(5, 2)
    plain = resolve(Data(0.5), model, Recipe(steps=1, seed=3), 4).start
    raised = raised_start(model, 4, [0.5, 0.4, 0.3, 0.2], seed=3)
    np.testing.assert_array_equal(raised.W, plain.W)
    np.testing.assert_allclose(raised.b, np.repeat([[0.5], [0.4], [0.3], [0.2]], 5, axis=1))
