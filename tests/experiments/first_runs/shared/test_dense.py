"""Closed forms of the dense case against plain sampling, limits and independent optimisation."""

import numpy as np
import pytest
from scipy.optimize import minimize

from experiments.core.losses.optimum import Optimum, minimise
from experiments.first_runs.shared import dense


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return dense.cube_points(4, 15, seed=0)


def random_models(instances: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return 0.6 * generator.standard_normal((instances, 2, 4)), 0.3 * generator.standard_normal((instances, 4))


def projections(instances: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(2).standard_normal((instances, 4, 2))).Q.swapaxes(-1, -2)


def test_linear_and_relu_losses_equal_plain_averages_over_samples(x: np.ndarray) -> None:
    W, b = random_models()
    importance = np.array([1.0, 0.5, 2.0, 0.1])
    for instance in range(3):
        z = x @ (W[instance].T @ W[instance]) + b[instance]
        linear = (importance * (z - x) ** 2).mean()
        relu = (importance * (np.maximum(z, 0) - x) ** 2).mean()
        assert dense.linear_loss(W, b, importance)[instance] == pytest.approx(linear, rel=1e-3)
        assert dense.relu_loss(W, b, x, importance)[instance] == pytest.approx(relu, rel=1e-3)


def test_the_linear_bias_minimises_the_linear_loss_for_any_weights() -> None:
    W, _ = random_models()
    for model in W:
        found = minimize(lambda b, model=model: float(dense.linear_loss(model, b)), np.zeros(4), tol=1e-12).x
        np.testing.assert_allclose(dense.linear_bias(model), found, atol=1e-5)


def test_every_projection_has_the_dedicated_loss_at_equal_importance() -> None:
    W = projections(20)
    np.testing.assert_allclose(dense.linear_loss(W, dense.linear_bias(W)), dense.dedicated_loss(4, 2), rtol=1e-12)
    assert dense.dedicated_loss(4, 2) == pytest.approx((4 - 2) / 12 / 4)


def test_no_low_rank_model_beats_the_dedicated_one_at_unequal_importance() -> None:
    importance = np.array([0.3, 1.0, 0.5, 0.9])
    W = np.concatenate([projections(500), 0.7 * np.random.default_rng(3).standard_normal((500, 2, 4))])
    floor = dense.dedicated_loss(4, 2, importance)
    assert floor == pytest.approx((0.3 + 0.5) / 48)
    assert dense.linear_loss(W, dense.linear_bias(W), importance).min() >= floor


def test_the_bias_formula_with_clipping_is_the_minimiser_of_the_relu_loss(x: np.ndarray) -> None:
    W = projections(3)
    for model in W:
        b = dense.linear_bias(model)
        for _ in range(30):  # the fixed point of the formula
            b = dense.linear_bias(model) - dense.clipping(model[None], b[None], x).shortfall[0]
        loss = [dense.relu_loss(model[None], b[None] + shift, x)[0] for shift in (-0.02, 0.0, 0.02)]
        assert loss[1] < min(loss[0], loss[2])
        found = minimize(lambda b, model=model: float(((np.maximum(x @ (model.T @ model) + b, 0) - x) ** 2).mean()), b)
        np.testing.assert_allclose(b, found.x, atol=1e-4)


def test_clipping_never_raises_the_loss_nor_the_best_bias(x: np.ndarray) -> None:
    W, b = random_models(10)
    cut = dense.clipping(W, b, x)
    assert cut.gain.min() >= 0
    assert cut.shortfall.min() >= 0
    assert cut.share.max() <= 1


def test_dedicated_models_do_not_clip_and_have_biases_zero_and_one_half(x: np.ndarray) -> None:
    W = np.eye(2, 4)[None]
    b = dense.linear_bias(W)
    np.testing.assert_array_equal(b, [[0, 0, 0.5, 0.5]])
    assert dense.clipping(W, b, x).gain[0] == 0


def rotated(degrees: float, ratio: float = 1.0) -> Optimum:
    return minimise(dense.one_direction(np.radians(degrees)), np.ones((1, 2)), np.array([[1.0, ratio]]))


def test_a_small_rotation_lowers_the_loss_by_an_eighth_of_the_cubed_sine() -> None:
    sine = 0.02
    gain = 1 - rotated(np.degrees(np.arcsin(sine))).loss[0] / dense.dedicated_loss(2, 1)
    assert gain == pytest.approx(sine**3 / 8, rel=0.1)


def test_without_rotation_and_at_45_degrees_the_loss_is_the_dedicated_one() -> None:
    for degrees in (0.0, 45.0, 90.0):
        assert rotated(degrees).loss[0] == pytest.approx(1 / 24, rel=1e-9)


def test_exactly_minimised_models_obey_the_bias_formula() -> None:
    best = rotated(21.0)
    cut = dense.clipping(best.W, best.b, dense.cube_points(2, 16, seed=4)).shortfall
    np.testing.assert_allclose(best.b, dense.linear_bias(best.W) - cut, atol=2e-5)
    assert cut.max() > 1e-3
