"""The absolute value at a small size, and verdicts on made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.computation import absolute_controls, absolute_small, absolute_value
from experiments.computation.shared.absolute import Training
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity


@pytest.fixture(scope="module")
def result():
    small = replace(
        absolute_value.experiment.quick, seeds=2, features=24, hidden=10, training=Training(steps=400, most=512)
    )
    return absolute_value.run(small, "cpu")


def test_a_density_of_one_is_near_the_best_without_superposition_and_rare_features_are_below(result):
    equal = result.ratio[0].mean(-1)
    assert equal[0] == pytest.approx(1.1, abs=0.15)
    assert equal[4] < 0.8


def test_losses_add_up_from_features(result):
    total = result.error[0].mean(-1) / result.best[0][:, None]
    np.testing.assert_allclose(result.ratio[0], total)


def test_numbers_quote_the_arrays(result):
    assert result.at["0.01"].equal.computed.value == pytest.approx(result.computed[0, 4].mean())
    assert result.at["1"].falling.ratio.value == pytest.approx(result.ratio[1, 0].mean())


def test_errors_grow_with_the_number_present_for_models_of_rare_features(result):
    assert result.own[-1, :, -1].mean() > result.own[-1, :, 0].mean()


def quantity(value: float) -> Quantity:
    return Quantity(value, value - 0.5, value + 0.5, 16)


def verdict(computed, beats, dense) -> Verdict:
    evidence = Evidence(
        statistic=quantity(computed[0]),
        computed=tuple(quantity(each) for each in computed),
        beats=tuple(Quantity(each, n=16) for each in beats),
        computed_dense=tuple(quantity(each) for each in dense),
    )
    return absolute_value.BEYOND.verdict(evidence)


def test_superposition_needs_the_count_and_the_loss_at_rare_densities_and_neither_at_dense_ones():
    assert verdict([90, 95], [1, 0.9], [15, 18]) == "supported"
    assert verdict([90, 95], [1, 0.7], [15, 18]) == "mixed"
    assert verdict([90, 95], [1, 1], [30, 18]) == "mixed"
    assert verdict([20.2, 15], [1, 1], [15, 18]) == "refuted"
    assert verdict([90, 95], [0.1, 0.2], [15, 18]) == "refuted"


def test_rows_of_a_hand_built_model_are_recognised():
    W = np.concatenate([np.eye(3), -np.eye(3)])[None]
    assert absolute_small.unit_rows(W).all()
    doubled = W.copy()
    doubled[0, 5] = doubled[0, 2]
    assert not absolute_small.unit_rows(doubled).any()
    assert absolute_small.sides_served(doubled)[0].sum() == 5


def test_the_small_model_is_solved_where_every_side_has_a_neuron():
    config = absolute_small.experiment.quick
    found = absolute_small.run(replace(config, seeds=8), "cpu")
    assert found.numbers.solved.value > 0.3
    assert found.numbers.agree.value > 0.7


def test_no_control_without_a_relu_beats_the_bias():
    small = replace(absolute_controls.experiment.quick, seeds=2, samples=20_000)
    found = absolute_controls.run(small, "cpu")
    for p in small.p:
        assert found.at[f"no_relu, {p:g}"].over_bias.value == pytest.approx(1, abs=0.03)
    assert found.at["linear, 0.01"].best_feature.value > 0.3
    assert found.numbers.more_than_random.value > 0
