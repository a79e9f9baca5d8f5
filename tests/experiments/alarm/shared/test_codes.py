"""Sparse codes by an active set are those that FISTA converges to."""

import numpy as np
import pytest

from experiments.alarm.shared.codes import coded
from experiments.core.sparse_coding import sparse_code

PENALTY = 0.02


def world(words, hidden, count, seed):
    generator = np.random.default_rng(seed)
    D = generator.normal(size=(words, hidden)).astype(np.float32)
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    present = generator.random((count, words)) < 3 / words
    return D, (present * generator.random((count, words)) @ D).astype(np.float32)


def objective(D, h, f):
    return ((h - f @ D) ** 2).sum(1) / 2 + PENALTY * f.sum(1)


@pytest.mark.parametrize(("words", "hidden"), [(30, 12), (64, 16)])
def test_codes_are_those_of_fista_at_the_end(words, hidden):
    D, h = world(words, hidden, 60, 0)
    known = sparse_code(D, h, PENALTY, steps=5000)
    found = coded(D, h, PENALTY, np.arange(words)).values.astype(np.float64)
    assert (known > 0.05).sum() > 100
    # Where words nearly stand in for one another, far apart codes are equally good: the objective decides.
    np.testing.assert_allclose(objective(D, h, found), objective(D, h, known), atol=5e-5)
    assert np.abs(found - known).mean() < 5e-4


def test_codes_meet_the_conditions_of_the_least_objective():
    D, h = world(64, 16, 200, 1)
    f = coded(D, h, PENALTY, np.arange(64)).values.astype(np.float64)
    slope = (h - f @ D) @ D.T - PENALTY  # 0 where a word is used, at most 0 where it is not
    assert (f >= 0).all()
    assert (f > 0).sum() > 500
    assert np.abs(np.maximum(f + slope, 0) - f).max() < 3e-4, "some coefficient would still move"


def test_a_code_of_orthonormal_words_is_the_projection_less_the_penalty():
    h = np.array([[0.5, 0.01, -0.3]], np.float32)
    found = coded(np.eye(3, dtype=np.float32), h, PENALTY, np.arange(3)).values
    np.testing.assert_allclose(found, [[0.48, 0, 0]], atol=1e-6)


def test_words_are_returned_as_asked_and_a_sample_does_not_depend_on_its_neighbours():
    D, h = world(40, 12, 50, 2)
    whole = coded(D, h, PENALTY, np.arange(40)).values
    np.testing.assert_array_equal(coded(D, h, PENALTY, np.array([7, 3])).values, whole[:, [7, 3]])
    others = np.concatenate([h[25:45], h[20:]])  # as many, so that the products round alike
    np.testing.assert_array_equal(coded(D, others, PENALTY, np.arange(40)).values[20:], whole[20:])


def test_work_counts_the_product_with_all_words_and_grows_with_what_a_code_holds():
    D, h = world(40, 12, 50, 3)
    nothing = coded(D, np.zeros((5, 12), np.float32), PENALTY, np.arange(2)).work
    assert nothing == 40 * 12
    assert coded(D, h, PENALTY, np.arange(2)).work > nothing
