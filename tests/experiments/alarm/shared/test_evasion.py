"""The shortest disturbance is that of a general optimiser, and gradients never beat it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from experiments.alarm.shared.evasion import Attack, evaded, least_evasion


@pytest.mark.parametrize("seed", range(6))
def test_the_closed_form_is_what_an_optimiser_finds(seed):
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(2, 5))
    b += generator.uniform(-1, 2) * a
    A, B = generator.uniform(0.2, 1.0, 2)
    constraints = [
        {"type": "ineq", "fun": lambda d: -A - a @ d},
        {"type": "ineq", "fun": lambda d: B + b @ d},
    ]
    known = minimize(lambda d: d @ d, -a, constraints=constraints, method="SLSQP", options={"ftol": 1e-14})
    assert least_evasion(a, b, np.array([A]), np.array([B]))[0] == pytest.approx(np.sqrt(known.fun), rel=1e-4)


def test_nothing_is_needed_without_an_alarm_and_nothing_helps_without_a_behaviour():
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    found = least_evasion(a, b, np.array([-0.1, 0.5, 0.5]), np.array([1.0, -0.1, 1.0]))
    np.testing.assert_array_equal(found, [0, np.inf, 0.5])


def test_an_alarm_on_the_behaviour_itself_can_only_be_lowered_to_where_the_behaviour_stops():
    w = np.array([2.0, 0.0])
    found = least_evasion(w, w, np.array([0.4, 0.4]), np.array([0.3, 0.5]))
    np.testing.assert_allclose(found, [np.inf, 0.2])


def test_gradients_reach_the_closed_form_on_a_linear_alarm():
    generator = np.random.default_rng(0)
    W = generator.normal(size=(6, 12)).astype(np.float32)
    x = generator.random((200, 12), dtype=np.float32)
    v, w = generator.normal(size=(2, 6)).astype(np.float32)
    a, keep = W.T @ v, W.T @ w
    across = a - (a @ keep) / (keep @ keep) * keep
    level = float(np.quantile(x @ a, 0.5))
    need = (x @ a - level) / np.linalg.norm(across) / np.linalg.norm(x, axis=1)
    silent = x @ a <= level

    def slope(h):
        return h @ v, np.broadcast_to(v, h.shape)

    done = evaded(slope, W, x, keep.astype(float), level, 0.1, Attack(2, 20), generator, silent)
    clear = np.abs(need - 0.1) > 1e-3
    assert clear.sum() > 150
    np.testing.assert_array_equal(done[clear], (need < 0.1)[clear])


def test_what_is_silent_or_silenced_is_left_alone_and_changes_nothing_for_the_others():
    generator = np.random.default_rng(2)
    W = generator.normal(size=(6, 12)).astype(np.float32)
    x = generator.random((60, 12), dtype=np.float32)
    v = generator.normal(size=6).astype(np.float32)
    seen = []

    def slope(h):
        seen.append(len(h))
        return h @ v, np.broadcast_to(v, h.shape)

    level, keep = float(np.median(x @ W.T @ v)), np.ones(12)
    silent = np.arange(60) < 20
    all_tried, some = (
        evaded(slope, W, x, keep, level, 0.05, Attack(2, 3), np.random.default_rng(3), left_alone)
        for left_alone in (np.zeros(60, bool), silent)
    )
    assert 0 < all_tried[20:].mean() < 1
    np.testing.assert_array_equal(some, all_tried | silent)
    assert seen[:4] == [60] * 4
    assert max(seen[4:8]) < 60
    assert max(seen[8:]) == 40
