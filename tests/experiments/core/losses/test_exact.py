"""The exact loss against exact rational arithmetic, sampling and finite differences."""

from fractions import Fraction
from itertools import combinations, product
from math import factorial

import numpy as np
import pytest

from experiments.core.losses.exact import expected_loss, one_active, set_probabilities


def models(count, hidden, features, seed=0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, hidden, features)), generator.uniform(-0.5, 0.5, (count, features))


def rational_loss(W, b, density):
    """The same loss in exact rational arithmetic, from the inclusion-exclusion formula for a cut cube.

    The integral of (b + g.x)_+^m over [0,1]^k is m!/(m+k)!/prod(g) times the signed sum of (b + g.v)_+^(m+k) over
    corners v. The factor x_i is a derivative of the m = 2 integral: 2 E[x_i z_+] = dE[z_+^2]/dg_i.
    """
    n, W, b, p = len(b), [[Fraction(v) for v in row] for row in W], [Fraction(v) for v in b], Fraction(density)
    G = [[sum(row[i] * row[j] for row in W) for j in range(n)] for i in range(n)]
    total = Fraction(0)
    for size in range(n + 1):
        for members in combinations(range(n), size):
            chance = p**size * (1 - p) ** (n - size)
            for i in range(n):
                g = [G[i][j] for j in members]
                total += chance * (squared(b[i], g) - 2 * cross(b[i], g, members, i) + Fraction(i in members, 3))
    return total / n


def corners(b, g, power):
    return [
        (v, (-1) ** (len(g) - sum(v)) * max(b + sum(a * c for a, c in zip(g, v, strict=True)), Fraction(0)) ** power)
        for v in product((0, 1), repeat=len(g))
    ]


def squared(b, g):
    scale = Fraction(2, factorial(2 + len(g)))
    for a in g:
        scale /= a
    return scale * sum(term for _, term in corners(b, g, 2 + len(g)))


def cross(b, g, members, i):
    if i not in members:
        return Fraction(0)
    k, power = members.index(i), 2 + len(g)
    scale = Fraction(2, factorial(power))
    for a in g:
        scale /= a
    slope = sum(
        v[k]
        * power
        * (-1) ** (len(g) - sum(v))
        * max(b + sum(a * c for a, c in zip(g, v, strict=True)), 0) ** (power - 1)
        for v in product((0, 1), repeat=len(g))
    )
    return (scale * slope - squared(b, g) / g[k]) / 2


@pytest.mark.parametrize(("hidden", "features"), [(1, 2), (2, 3), (2, 5)])
def test_the_loss_equals_rational_arithmetic_within_its_stated_error(hidden, features):
    W, b = models(3, hidden, features)
    found = expected_loss(W, b, 0.3)
    for k in range(3):
        truth = rational_loss(W[k], b[k], 0.3)
        assert abs(float(Fraction(found.value[k]) - truth)) <= found.error[k]
        assert found.error[k] < 1e-9 * found.value[k]


def test_tiny_weights_lose_no_digits():
    W, b = models(1, 2, 4)
    W = W * np.array([1.0, 1e-3, 1e-6, 1e-9])  # the textbook formula divides by the product of these
    found = expected_loss(W, b, 0.5)
    assert abs(float(Fraction(found.value[0]) - rational_loss(W[0], b[0], 0.5))) <= found.error[0]


def test_the_loss_agrees_with_sampling():
    W, b = models(4, 2, 6, seed=1)
    density = np.array([0.9, 0.5, 0.3, 0.2, 0.1, 0.05])
    importance = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.1])
    generator, samples = np.random.default_rng(2), 200_000
    x = np.where(generator.random((samples, 6)) < density, generator.random((samples, 6)), 0.0)
    found = expected_loss(W, b, density, importance)
    for k in range(4):
        losses = (importance * (x - np.maximum(x @ W[k].T @ W[k] + b[k], 0)) ** 2).mean(axis=1)
        assert abs(found.value[k] - losses.mean()) < 4 * losses.std() / np.sqrt(samples)


def test_a_linear_model_has_the_closed_form_of_its_moments():
    W, b = models(2, 2, 4)
    p = np.array([0.8, 0.4, 0.2, 0.1])
    mean, variance = p / 2, p / 3 - p**2 / 4
    for k, value in enumerate(expected_loss(W, b, p, output="linear").value):
        residual = np.eye(4) - W[k].T @ W[k]
        expected = (residual**2 @ variance + (residual @ mean - b[k]) ** 2).mean()
        assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("density", [1.0, 0.3, 0.01])
def test_the_gradient_equals_finite_differences(density):
    (W,), (b,) = models(1, 2, 5, seed=3)
    found, step = expected_loss(W, b, density), 1e-6
    for move_W, move_b in zip(*models(3, 2, 5, seed=4), strict=True):
        up = expected_loss(W + step * move_W, b + step * move_b, density).value
        down = expected_loss(W - step * move_W, b - step * move_b, density).value
        slope = (found.grad_W * move_W).sum() + (found.grad_b * move_b).sum()
        assert slope == pytest.approx(float((up - down) / (2 * step)), rel=1e-6, abs=1e-10)


def test_leaving_out_large_sets_stays_within_the_stated_error():
    W, b = models(3, 2, 7)
    whole, cut = expected_loss(W, b, 0.1), expected_loss(W, b, 0.1, most_active=3)
    assert (np.abs(whole.value - cut.value) <= cut.error).all()
    assert (whole.value > cut.value).all()


def test_the_loss_of_rare_features_tends_to_that_of_one_active_feature():
    W, b = models(3, 2, 4)
    b = -np.abs(b)  # otherwise the empty sample costs most
    p = 1e-6
    limit = expected_loss(W, b, sets=one_active(4)).value
    np.testing.assert_allclose(expected_loss(W, b, p).value / (4 * p), limit, rtol=1e-4)


def test_set_probabilities_add_up_and_multiply():
    chance = set_probabilities([[0.2, 0.5], [1.0, 0.0]], 2)
    np.testing.assert_allclose(chance, [[0.4, 0.1, 0.4, 0.1], [0, 1, 0, 0]])


def test_leading_axes_are_kept():
    W, b = models(6, 2, 3)
    found = expected_loss(W.reshape(2, 3, 2, 3), b.reshape(2, 3, 3), [[[0.1]], [[0.2]]])
    assert found.value.shape == (2, 3)
    assert found.value[1, 0] == expected_loss(W[3], b[3], 0.2).value
    assert found.grad_W.shape == (2, 3, 2, 3)


def test_what_cannot_be_computed_is_refused():
    W, b = models(1, 2, 3)
    with pytest.raises(ValueError, match="density must lie"):
        expected_loss(W, b, 1.5)
    with pytest.raises(ValueError, match="either density or sets"):
        expected_loss(W, b)
    with pytest.raises(ValueError, match="up to 12 features"):
        expected_loss(np.zeros((2, 13)), np.zeros(13), 0.1)
