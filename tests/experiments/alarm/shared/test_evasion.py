"""The shortest disturbance is that of a general optimiser, and gradients never beat it."""

import numpy as np
import pytest
import torch
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
    row = torch.from_numpy(v)
    done = evaded(lambda h: (h @ row, row.expand_as(h)), W, x, keep.astype(float), level, 0.1, Attack(2, 20), generator)
    clear = np.abs(need - 0.1) > 1e-3
    assert clear.sum() > 150
    np.testing.assert_array_equal(done[clear], (need < 0.1)[clear])
