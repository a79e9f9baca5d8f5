"""Analytic attacks against dense searches, plain loops and models whose worst attack is known."""

import numpy as np
import pytest

from experiments.adversarial.shared.attacks import NORMS, baseline, budget, draws, harm, unit_attacks, worst_inputs
from experiments.core.metrics import gram


def models(count: int = 2, hidden: int = 3, features: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    W = rng.standard_normal((count, hidden, features)) / hidden**0.5
    return W, rng.uniform(-0.3, 0.1, (count, features))


def output(G: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ G.T + b, 0)


def test_draws_have_the_density_and_are_shared_between_densities():
    drawn = draws(20_000, 5, 0)
    x, rarer = drawn.inputs(0.3), drawn.inputs(0.1)
    assert (x > 0).mean() == pytest.approx(0.3, abs=0.01)
    assert x[x > 0].mean() == pytest.approx(0.5, abs=0.01)
    assert ((rarer == x) | (rarer == 0)).all()


def test_both_budgets_have_the_same_length_in_l2():
    x = draws(100, 16, 0).inputs(0.5)
    assert budget(x, "linf") * 16**0.5 == pytest.approx(budget(x, "l2"))
    assert budget(x, "l2", 0.2) == pytest.approx(0.2 * np.linalg.norm(x, axis=1).mean())


@pytest.mark.parametrize("norm", NORMS)
def test_no_random_input_of_the_same_size_moves_the_output_further(norm):
    W, _ = models(1)
    G = gram(W[0])
    own = (unit_attacks(G, norm) * G).sum(-1)
    tried = np.random.default_rng(1).standard_normal((20_000, 7))
    tried = tried / np.linalg.norm(tried, axis=1, keepdims=True) if norm == "l2" else np.sign(tried)
    most = (tried @ G.T).max(0)
    assert (most <= own + 1e-12).all()
    assert (most > 0.9 * own).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("rectified", [True, False])
def test_the_kernel_is_a_plain_loop_over_samples_features_and_signs(norm, rectified):
    W, b = models()
    x = draws(40, 7, 2).inputs(0.5).astype(np.float64)
    G, size = gram(W), 0.3
    found = harm(G, b, x, size, norm, rectified=rectified)
    for k in range(len(W)):
        y = lambda at, k=k: output(G[k], b[k], at) if rectified else at @ G[k].T + b[k]  # noqa: E731
        clean, worst, own = [], [], []
        for sample in x:
            before = (y(sample) - sample) ** 2
            tried = [
                (i, (y(sample + sign * size * unit_attacks(G[k], norm)[i]) - sample) ** 2)
                for i in range(7)
                for sign in (-1, 1)
            ]
            clean.append(before.sum())
            worst.append(max(before.sum(), *(after.sum() for _, after in tried)))
            own.append(max(0.0, *(after[i] - before[i] for i, after in tried)))
        assert found.clean[k] == pytest.approx(np.mean(clean), rel=1e-4)
        assert found.attacked[k] == pytest.approx(np.mean(worst), rel=1e-4)
        assert found.own[k] == pytest.approx(np.mean(own), rel=1e-3)


@pytest.mark.parametrize("norm", NORMS)
def test_a_model_without_superposition_loses_the_baseline(norm):
    G = np.eye(4)[None]
    x = draws(500, 4, 3).inputs(0.7)
    found = harm(G, np.zeros((1, 4)), x, 0.05, norm)
    alone = found.attacked - found.clean
    assert found.clean == pytest.approx(0, abs=1e-12)
    # Without other features every attack moves one output, in either norm.
    assert alone == pytest.approx(baseline(0.05, norm, 1), rel=1e-3)


def test_under_linf_all_orthogonal_features_are_moved_at_once():
    size, hidden = 0.05, 3
    x = np.full((50, hidden), 0.5)
    worst = ((x + size - x) ** 2).sum(-1).mean()
    assert baseline(size, "linf", hidden) == pytest.approx(worst)


@pytest.mark.parametrize("norm", NORMS)
def test_worst_inputs_do_the_harm_that_is_reported(norm):
    W, b = models(1)
    G, x = gram(W[0]), draws(60, 7, 4).inputs(0.5).astype(np.float64)
    delta = worst_inputs(G, b[0], x, 0.2, norm)
    after = ((output(G, b[0], x + delta) - x) ** 2).sum(-1).mean()
    assert after == pytest.approx(harm(G[None], b, x, 0.2, norm).attacked[0], rel=1e-4)
    size = np.linalg.norm(delta, axis=1) if norm == "l2" else np.abs(delta).max(1)
    assert size == pytest.approx(0.2)
