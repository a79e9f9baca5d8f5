"""A specification that makes no sense is refused before any work, by a sentence that names field and value."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.core.errors import ReportError
from experiments.core.training.checks import SpecificationError
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe, Weights

MODEL = Model(4, 2)


def zeros(instances: int = 1, hidden: int = 2) -> Weights:
    return Weights(np.zeros((instances, hidden, 4), np.float32), np.zeros((instances, 4), np.float32))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"density": 1.5}, r"density is 1.5 at \(0, 0\)"),
        ({"density": -0.1}, "density is -0.1"),
        ({"density": [[0.1, np.nan, 0.1, 0.1]]}, r"density is nan at \(0, 1\)"),
        ({"density": 0.1, "importance": -1.0}, "importance is -1"),
        ({"density": 0.1, "importance": np.inf}, "importance is inf"),
        ({"density": [0.1, 0.2]}, r"density has shape \(2,\), which does not fit \(instance, feature\) = \(1, 4\)"),
        ({"density": np.ones((1, 1, 4))}, "density has shape"),
        ({"density": 0.1, "strength": 1.1, "coupling": "correlated", "groups": ((0, 1),)}, "strength is 1.1"),
        ({"density": 0.1, "coupling": "causal"}, "coupling is 'causal'"),
        ({"density": 0.1, "coupling": "correlated"}, "coupling is 'correlated', but groups is empty"),
        ({"density": 0.1, "groups": ((0, 1),)}, "coupling is 'independent'"),
        ({"density": 0.1, "coupling": "correlated", "groups": ((0, 1), ())}, r"groups\[1\] is empty"),
        ({"density": 0.1, "coupling": "correlated", "groups": ((0, 9),)}, r"groups\[0\] holds feature 9"),
        ({"density": 0.1, "coupling": "correlated", "groups": ((0, 1), (1, 2))}, "overlap in feature 1"),
        ({"density": [0.1, 0.2, 0.1, 0.1], "coupling": "correlated", "groups": ((0, 1),)}, "density differs inside"),
        ({"density": 0.6, "coupling": "anticorrelated", "groups": ((0, 1),)}, "sums to 1.2, more than 1"),
        ({"density": 0.1, "fixed_samples": 0}, "fixed_samples is 0"),
        ({"density": 0.1, "fixed_samples": 5, "samples": np.zeros((5, 4))}, "samples and fixed_samples=5"),
        ({"density": 0.1, "samples": np.zeros((5, 3))}, r"samples has shape \(5, 3\)"),
        ({"density": 0.1, "samples": np.full((5, 4), np.nan)}, "samples is nan"),
    ],
)
def test_bad_data_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        resolve(Data(**fields), MODEL, Recipe())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"frozen": ("W_out",)}, "frozen holds 'W_out'; the parameters of this model are W, b"),
        ({"batch": 0}, "batch is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0 at"),
        ({"learning_rate": np.nan}, "learning_rate is nan"),
        ({"warmup": -1}, "warmup is -1"),
        ({"schedule": "linear"}, "schedule is 'linear'"),
        ({"step_at": 1.5}, "step_at is 1.5"),
        ({"beta1": 1.0}, "beta1 is 1.0"),
        ({"epsilon": -1e-8}, "epsilon is -1e-08"),
        ({"weight_decay": np.inf}, "weight_decay is inf"),
        ({"start": "zeros"}, "start is 'zeros'"),
        ({"start_scale": -1.0}, "start_scale is -1"),
        ({"start": zeros(), "start_scale": 2.0}, "start_scale is 2.0, but given start weights"),
        ({"start_bias": [0.1, 0.2]}, r"start_bias has shape \(2,\), which does not fit \(instance, feature\)"),
        ({"start_bias": np.nan}, "start_bias is nan"),
        ({"start": zeros(), "start_bias": 0.5}, "start_bias is 0.5, but given start weights"),
        ({"start": zeros(hidden=3)}, r"start.W has shape \(1, 3, 4\)"),
        ({"snapshots": (0, 10_001)}, "snapshots holds 10001, outside 0 to steps=10000"),
        ({"instance_seeds": (-1,)}, "instance_seeds holds -1"),
    ],
)
def test_a_bad_recipe_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        resolve(Data(0.1), MODEL, Recipe(**fields))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (Model(0, 2), "features is 0"),
        (Model(4, 0), "hidden is 0"),
        (Model(4, 2, output="tanh"), "output is 'tanh'"),  # type: ignore[arg-type]
        (Model(4, 2, target="square"), "target is 'square'"),  # type: ignore[arg-type]
        (Model(4, 2, loss="l3"), "loss is 'l3'"),  # type: ignore[arg-type]
        (Model(4, 2, output="linear", loss="l4"), "loss is 'l4', but output is 'linear'"),
        (Model(4, 2, target_mixing=np.zeros((4, 2), np.float32)), r"target_mixing has shape \(4, 2\)"),
        (Model(4, 2, target_mixing=np.zeros(4, np.float32)), r"target_mixing has shape \(4,\)"),
        (Model(4, 2, target_mixing=np.full((4, 4), np.inf, np.float32)), r"target_mixing is inf at \(0, 0\)"),
    ],
)
def test_a_bad_model_is_named(model: Model, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        resolve(Data(0.1), model, Recipe())


def test_an_untied_model_needs_a_read_out() -> None:
    with pytest.raises(ValueError, match=r"start.W_out is missing, but the model is tied=False"):
        resolve(Data(0.1), Model(4, 2, tied=False), Recipe(start=zeros()))


def test_a_hidden_bias_needs_one_in_the_start_and_none_where_the_model_has_none() -> None:
    with pytest.raises(ValueError, match=r"start.b_hidden is missing, but the model is hidden_bias=True"):
        resolve(Data(0.1), Model(4, 2, hidden_bias=True), Recipe(start=zeros()))
    start = replace(zeros(), b_hidden=np.zeros((1, 2), np.float32))
    with pytest.raises(ValueError, match=r"start.b_hidden is given, but the model is hidden_bias=False"):
        resolve(Data(0.1), MODEL, Recipe(start=start))


def test_mixing_matrices_per_instance_must_agree_with_the_instances() -> None:
    model = Model(4, 2, target_mixing=np.zeros((3, 4, 4), np.float32))
    with pytest.raises(ValueError, match="not agreed: instances 2, target_mixing 3"):
        resolve(Data(0.1), model, Recipe(), 2)


def test_the_command_line_can_show_it_as_one_sentence() -> None:
    assert issubclass(SpecificationError, ReportError)
