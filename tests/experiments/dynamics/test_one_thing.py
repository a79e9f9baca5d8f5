"""The formula for the time to learn a feature agrees with following the exact gradient step by step."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.losses.exact import expected_loss
from experiments.core.quantities import Quantity
from experiments.dynamics import one_thing
from experiments.dynamics.one_thing import Config

SMALL = Config(seeds=2, features=8, hidden=3, room=4, steps=1500, batch=64, snapshots=60)


def test_the_logistic_formula_is_what_gradient_descent_does() -> None:
    config = replace(SMALL, start_scale=0.1, descent_rate=0.2)
    setting = one_thing._settings(config)[-1]
    n = setting.features
    begin = config.start_scale**2 * 2 * setting.hidden / (setting.hidden + n)
    W, b = np.sqrt(begin) * np.eye(n), np.full(n, setting.density / 2)
    learned = np.full(n, np.nan)
    for step in range(1, 6000):
        found = expected_loss(W, b, np.full(n, setting.density), setting.importance, output="linear")
        W, b = W - config.descent_rate * found.grad_W, b - config.descent_rate * found.grad_b
        reached = np.isnan(learned) & ((W**2).sum(0) > 0.5)
        learned[reached] = step
        if np.isfinite(learned).all():
            break
    np.testing.assert_allclose(learned, one_thing.logistic_steps(setting, config), rtol=0.1)


def test_directions_that_are_taken_delay_what_is_learned_later() -> None:
    config = replace(SMALL, room=5, room_decay=0.6, start_scale=0.05, descent_rate=1.0)
    setting = one_thing._settings(config)[-1]
    n, starts = setting.features, 16
    spread = np.sqrt(2 / (setting.hidden + n)) * config.start_scale
    W = spread * np.random.default_rng(0).standard_normal((starts, setting.hidden, n))
    b, chance = np.zeros((starts, n)), np.full(n, setting.density)
    learned = np.full((starts, n), np.nan)
    for step in range(1, 1500):
        found = expected_loss(W, b, chance, setting.importance, output="linear")
        W, b = W - config.descent_rate * found.grad_W, b - config.descent_rate * found.grad_b
        learned[np.isnan(learned) & ((W**2).sum(1) > 0.5)] = step
    plain, crowded = (np.median(learned / one_thing.logistic_steps(setting, config, crowded=c)) for c in (False, True))
    assert np.isfinite(learned).all()
    assert abs(crowded - 1) < 0.1
    assert abs(crowded - 1) < abs(plain - 1)


def test_the_large_epsilon_makes_adam_gradient_descent() -> None:
    """Gradients are far below epsilon, so that the step is the rate times the averaged gradient."""
    setting = one_thing._settings(SMALL)[0]
    W, b = np.zeros((setting.hidden, setting.features)), np.zeros(setting.features)
    W[0, 0] = 0.5
    found = expected_loss(W, b, np.full(setting.features, setting.density), setting.importance)
    assert max(np.abs(found.grad_W).max(), np.abs(found.grad_b).max()) < 0.02 * one_thing.EPSILON


@pytest.fixture(scope="module")
def result() -> one_thing.Result:
    return one_thing.run(SMALL, "cpu")


def test_the_same_starts_are_used_by_both_optimisers(result: one_thing.Result) -> None:
    np.testing.assert_array_equal(result.squared[0, 0], result.squared[1, 0])


def test_what_is_learned_ends_long(result: one_thing.Result) -> None:
    ended = result.squared[:, -1] > one_thing.LEARNED
    np.testing.assert_array_equal(ended, np.isfinite(result.learned[:, 0]))


@pytest.mark.parametrize(
    ("adam", "descent", "verdict"),
    [
        ((0.6, 0.8), (0.9, 1.0), Verdict.SUPPORTED),
        ((0.1, 0.3), (0.9, 1.0), Verdict.MIXED),
        ((0.1, 0.3), (0.2, 0.4), Verdict.REFUTED),
        ((0.4, 0.6), (0.9, 1.0), Verdict.MIXED),
        ((0.4, 0.6), (0.45, 0.7), Verdict.MIXED),
    ],
)
def test_the_order_is_judged_with_both_optimisers(adam: tuple, descent: tuple, verdict: Verdict) -> None:
    with_adam, by_descent = (SimpleNamespace(order=Quantity(sum(at) / 2, *at)) for at in (adam, descent))
    result = SimpleNamespace(numbers=SimpleNamespace(relu_adam=with_adam, relu_descent=by_descent))
    claim = one_thing.experiment.claims["one-thing-order"]
    assert claim.criterion.verdict(claim.decide(result)) is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1.05, -0.95, Verdict.SUPPORTED),
        (-1.4, -1.2, Verdict.REFUTED),
        (-0.6, -0.5, Verdict.REFUTED),
        (-1.2, -1.0, Verdict.INCONCLUSIVE),
    ],
)
def test_the_slope_is_judged_by_its_whole_interval(low: float, high: float, verdict: Verdict) -> None:
    criterion = one_thing.experiment.claims["one-thing-formula"].criterion
    assert criterion.verdict(Evidence(slope=Quantity((low + high) / 2, low, high))) is verdict
