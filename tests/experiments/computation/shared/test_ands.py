"""The construction's read-outs are those of plain algebra over all pairs, and widths are read off as stated."""

import numpy as np
import pytest

from experiments.computation.shared.ands import (
    active_sets,
    centred_gain,
    exponent,
    smallest_width,
    storage_errors,
    wired,
    worst_errors,
)

M, ACTIVE, Q = 14, 3, 0.3


def plainly(wiring, neurons, sets, gain):
    """All pairs, both read-outs, with dense matrices: errors (read-out, input, feature, feature)."""
    A = np.zeros((neurons, M))
    for k in range(neurons):
        A[k, wiring.feature[wiring.start[k] : wiring.start[k + 1]]] = 1
    errors = np.empty((2, len(sets), M, M))
    for n, on in enumerate(sets):
        x = np.zeros(M)
        x[on] = 1
        h = np.maximum(A @ x - 1, 0)
        shared, joined = A.T @ A, A.sum(0)
        mean = np.divide((A.T * h) @ A, shared, out=np.zeros((M, M)), where=shared > 0)
        alone = (A.T @ h) / joined
        centred = np.where(shared > 0, (mean - alone[:, None] - alone[None] + h.mean()) / gain, 0)
        errors[:, n] = np.abs(np.stack([mean, centred]) - np.outer(x, x))
    errors[:, :, range(M), range(M)] = 0
    return errors


def test_worst_errors_are_those_of_dense_algebra_over_all_pairs():
    generator = np.random.default_rng(0)
    widths = np.array([400, 900])
    wiring, sets = wired(M, 900, Q, generator), active_sets(M, ACTIVE, 6, generator)
    gain = centred_gain(Q, ACTIVE)
    found = worst_errors(wiring, M, sets, widths, gain)
    for place, width in enumerate(widths):
        expected = plainly(wiring, width, sets, gain)
        np.testing.assert_allclose(found[place], expected.max((2, 3)), rtol=1e-5)


@pytest.mark.parametrize("active", [2, 3, 5])
def test_the_centred_mean_of_a_true_pair_is_its_gain(active):
    generator = np.random.default_rng(1)
    x = generator.random((400_000, active)) < Q
    h = np.maximum(x.sum(1) - 1.0, 0)
    one, other = x[:, 0], x[:, 1]
    centred = h[one & other].mean() - h[one].mean() - h[other].mean() + h.mean()
    assert centred == pytest.approx(centred_gain(Q, active), abs=0.02)


def test_a_wiring_joins_as_often_as_asked():
    wiring = wired(50, 2000, Q, np.random.default_rng(0))
    assert wiring.start[0] == 0
    assert wiring.start[-1] == len(wiring.feature)
    assert len(wiring.feature) / (50 * 2000) == pytest.approx(Q, abs=5 * np.sqrt(Q / 100_000))
    assert all(len(set(wiring.feature[a:b])) == b - a for a, b in zip(wiring.start, wiring.start[1:], strict=False))
    with pytest.raises(ValueError, match="q is 0"):
        wired(5, 5, 0.0, np.random.default_rng(0))


def test_an_input_has_as_many_features_on_as_asked():
    sets = active_sets(9, 3, 40, np.random.default_rng(0))
    assert all(len(set(on)) == 3 for on in sets)
    assert set(sets.ravel()) == set(range(9))


def test_widths_and_exponents_of_power_laws_are_exact():
    widths = np.geomspace(10, 1000, 9)
    assert smallest_width(widths, 5 / np.sqrt(widths), 0.25) == pytest.approx(400)
    assert smallest_width(widths, np.full(9, 0.1), 0.25) == pytest.approx(10)
    assert np.isnan(smallest_width(widths, np.full(9, 0.3), 0.25))
    assert smallest_width([1, 2, 4, 8], [0.1, 0.9, 0.25, 0.0625], 0.25) == pytest.approx(4)
    assert exponent([8, 16, 64], 3 * np.array([8, 16, 64]) ** 0.67) == pytest.approx(0.67)


def test_storing_errs_as_random_directions_overlap():
    sets = active_sets(40, 3, 50, np.random.default_rng(0))
    error = storage_errors(40, sets, np.array([100, 10_000]), seed=2)
    assert error[1].max() < error[0].min()
    # Three overlaps of standard deviation 1/100 each: five of their joint deviations bound the largest of 40.
    assert error[1].max() < 5 * np.sqrt(3) / 100
