"""Baselines in closed form are what the networks they stand for lose; measures are right on networks made by hand."""

import numpy as np
import pytest

from experiments.computation.shared.compressed import (
    best_linear_loss,
    drawn_inputs,
    eigenspace_overlap,
    errors,
    functions_per_neuron,
    mixing_matrices,
    naive_loss,
    network_outputs,
    offset_gain,
    responses,
)
from experiments.core.training.specification import Weights

N, HIDDEN, P = 12, 6, 0.3


def naive_half():
    W = np.eye(HIDDEN, N, dtype=np.float32)[None]
    return Weights(W, np.zeros((1, N), np.float32), W_out=np.swapaxes(W, 1, 2).copy())


def inputs(samples=200_000):
    return drawn_inputs(N, P, samples, np.random.default_rng(0))


def test_the_naive_half_loses_what_its_formula_says_and_is_the_unit():
    x = inputs()
    y = network_outputs(naive_half(), 0, x)
    assert ((y - np.maximum(x, 0)) ** 2).mean() == pytest.approx(naive_loss(N, HIDDEN, P), rel=0.02)
    found = errors(y, np.maximum(x, 0), x, HIDDEN)
    assert found == pytest.approx((1, 0, 1, 1), abs=0.02)
    assert found.total == found.active + found.crosstalk


def test_crosstalk_is_the_error_of_absent_features():
    x = np.array([[0.5, 0.0, -1.0, 0.0]])
    y = np.array([[0.5, 0.2, 0.1, 0.0]])
    found = errors(y, np.maximum(x, 0), x, hidden=2)
    naive = 0.5 * 0.25
    assert found.active == pytest.approx(0.01 / naive)
    assert found.crosstalk == pytest.approx(0.04 / naive)


def test_guessing_means_saves_what_its_formula_says():
    x = inputs(400_000)
    y = np.maximum(x, 0)
    total = y[:, :HIDDEN].sum(1)
    rest = y[:, HIDDEN:]
    best = (rest * total[:, None]).mean() / (total**2).mean()
    saved = (rest**2).mean() - ((rest - best * total[:, None]) ** 2).mean()
    assert saved / (rest**2).mean() == pytest.approx(offset_gain(N, HIDDEN, P), rel=0.05)


def test_the_best_linear_map_is_the_truncated_one_and_no_other_map_beats_it():
    M = 0.1 * mixing_matrices(N, 1, 3)[0]
    x = inputs()
    labels = np.maximum(x, 0) + x @ M.T
    u, s, v = np.linalg.svd(np.eye(N) / 2 + M)
    best = (u[:, :HIDDEN] * s[:HIDDEN]) @ v[:HIDDEN]
    loss = ((labels - x @ best.T) ** 2).mean()
    assert loss == pytest.approx(best_linear_loss(M, HIDDEN, P), rel=0.02)
    disturbed = best + 0.1 * u[:, :1] @ v[1:2]
    assert ((labels - x @ disturbed.T) ** 2).mean() > loss


def test_without_mixing_a_linear_map_loses_half_as_much_again_as_the_naive_half():
    assert best_linear_loss(np.zeros((N, N)), N // 2, P) == pytest.approx(1.5 * naive_loss(N, N // 2, P))


def test_responses_and_functions_of_the_naive_half_and_of_a_linear_network():
    found = responses(naive_half())
    np.testing.assert_array_equal(found.rise[0], [1] * HIDDEN + [0] * HIDDEN)
    np.testing.assert_array_equal(found.fall[0], 0)
    assert functions_per_neuron(naive_half()) == pytest.approx(1)
    assert functions_per_neuron(naive_half(), relu=False) == pytest.approx(0)


def test_overlap_is_one_inside_the_top_eigenspace_and_nothing_outside():
    M = mixing_matrices(N, 1, 4)
    vectors = np.linalg.eigh(M[0])[1]
    generator = np.random.default_rng(0)
    zeros = np.zeros((1, N), np.float32)
    for space, expected in ((vectors[:, HIDDEN:], 1.0), (vectors[:, :HIDDEN], 0.0)):
        W = (generator.standard_normal((HIDDEN, HIDDEN)) @ space.T).astype(np.float32)
        assert eigenspace_overlap(Weights(W[None], zeros), M)[0] == pytest.approx(expected, abs=1e-5)


def test_mixing_matrices_are_symmetric_with_an_empty_diagonal_and_differ_by_seed():
    M = mixing_matrices(50, 2, 0)
    np.testing.assert_array_equal(M, np.swapaxes(M, 1, 2))
    assert (np.diagonal(M, axis1=1, axis2=2) == 0).all()
    assert M[0].std() == pytest.approx(1, abs=0.05)
    assert not np.allclose(M[0], M[1])


def test_a_tied_model_is_refused():
    with pytest.raises(ValueError, match="W_out"):
        responses(Weights(np.ones((1, 2, 3), np.float32), np.zeros((1, 3), np.float32)))
