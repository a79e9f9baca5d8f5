"""The written-out kernel does what the tiled kernel does on the same draws."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.training import cpu, cpu_unrolled
from experiments.core.training.cpu_unrolled import FEWEST_SAMPLES, LARGEST_PRODUCT, source, unrolls
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe

DENSITIES = np.array([[0.3], [1.0]])

ONE_PLAIN_STEP = Recipe(steps=1, batch=100, beta1=0, beta2=0, epsilon=1e3, learning_rate=1e3)
"""With these constants Adam moves by almost exactly the gradient; the batch leaves a part of a tile."""


@pytest.mark.parametrize("recipe", [Recipe(steps=50, batch=128, learning_rate=1e-2), ONE_PLAIN_STEP])
@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Model(5, 2), Data(DENSITIES)),
        (Model(3, 2), Data(DENSITIES, signed=True)),
        (Model(4, 1, output="linear"), Data(DENSITIES)),
        (Model(5, 2), Data(DENSITIES, fixed_samples=150)),
        (Model(3, 2), Data(DENSITIES, signed=True, fixed_samples=150)),
        (Model(6, 3), Data(DENSITIES, coupling="correlated", groups=((0, 1, 2), (3, 4, 5)))),
        (Model(4, 2), Data(0.3, coupling="anticorrelated", groups=((0, 1), (2, 3)), strength=[0.5, 1.0])),
    ],
)
def test_it_trains_as_the_tiled_kernel_does(
    model: Model, data: Data, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = replace(data, importance=np.linspace(1, 2, model.features))
    problem = resolve(data, model, recipe)
    monkeypatch.setattr(cpu_unrolled, "FEWEST_SAMPLES", 0)
    assert unrolls(problem)
    written_out = cpu.train_cpu(problem).weights
    monkeypatch.setattr(cpu, "unrolls", lambda problem: False)
    tiled = cpu.train_cpu(problem).weights
    np.testing.assert_allclose(written_out.W, tiled.W, atol=1e-5)
    np.testing.assert_allclose(written_out.b, tiled.b, atol=1e-5)


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (Data(0.3), Model(5, 2, tied=False)),
        (Data(0.3), Model(5, 2, target="absolute")),
        (Data(0.3), Model(5, 2, hidden_activation="relu")),
        (Data(0.3), Model(LARGEST_PRODUCT + 1, 1)),
    ],
)
def test_what_it_does_not_cover_goes_to_the_tiled_kernel(data: Data, model: Model) -> None:
    assert not unrolls(resolve(data, model, Recipe()))


@pytest.mark.parametrize("instances", [1, 500])
def test_training_of_few_samples_compiles_nothing_of_its_own_however_many_models_there_are(instances: int) -> None:
    problem = [
        resolve(Data(0.3), Model(5, 2), Recipe(steps=FEWEST_SAMPLES // 100 + more, batch=100), instances)
        for more in (-1, 0)
    ]
    assert [unrolls(each) for each in problem] == [False, True]


def test_its_source_can_be_read() -> None:
    assert "y1 = b1 + w0_1 * h0 + w1_1 * h1" in source(2, 2, relu=True, origin="drawn")
