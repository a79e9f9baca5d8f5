"""Detectors, shares of the token, carriers and probes, against brute force and constructed cases."""

import numpy as np
import pytest
from scipy import sparse

from experiments.core.split_information import NOBODY
from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.detection import best_detectors, f1_matrix, thresholds, token_detector
from experiments.language_model.shared.dictionaries import Dictionary
from experiments.language_model.shared.probes import logistic_fit, probed
from experiments.language_model.shared.splits import (
    carriers,
    carrying,
    descents,
    effective_latents,
    heading,
    split_information,
    token_null,
)
from experiments.language_model.shared.token_share import token_share


def activations(rng: np.random.Generator, rows: int = 400, columns: int = 6) -> np.ndarray:
    return np.where(rng.random((rows, columns)) < 0.3, rng.random((rows, columns)), 0)


def test_f1_of_every_column_is_that_of_counting():
    rng = np.random.default_rng(0)
    f, labels = activations(rng), rng.random((400, 3)) < 0.2
    above = np.full(6, 0.4)
    found = f1_matrix(sparse.csr_matrix(f), above, labels)
    for column in range(6):
        for label in range(3):
            fires, present = f[:, column] > 0.4, labels[:, label]
            wanted = 2 * (fires & present).sum() / (fires.sum() + present.sum())
            assert found[column, label] == pytest.approx(wanted, abs=1e-6)


def test_thresholds_are_quantiles_of_positive_values():
    f = np.array([[0.0, 3, 0], [1, 0, 0], [2, 1, 0], [3, 2, 0], [4, 4, 0]])
    np.testing.assert_array_equal(thresholds(sparse.csr_matrix(f), 0.5), [3, 3, np.inf])
    np.testing.assert_array_equal(thresholds(sparse.csr_matrix(f), 0.0), [0, 0, 0])


def test_a_column_that_is_the_label_scores_one_and_choosing_among_noise_earns_nothing():
    rng = np.random.default_rng(1)
    first = np.arange(4000) % 2 == 0
    labels = rng.random((4000, 2)) < 0.05
    noise = activations(rng, 4000, 200)
    found = best_detectors(sparse.csr_matrix(np.column_stack([noise, labels[:, 0]])), labels, first)
    assert found.f1[0] == pytest.approx(1)
    assert (found.column[:, 0] == 200).all()
    always = 2 * 0.05 / 1.05
    assert found.f1[1] < always + 0.03


def test_the_token_detector_finds_labels_that_are_tokens_and_no_others():
    rng = np.random.default_rng(2)
    ids, first = rng.integers(0, 20, 4000), np.arange(4000) % 2 == 0
    labels = np.stack([np.isin(ids, [3, 5]), rng.random(4000) < 0.1], axis=1)
    found = token_detector(ids, labels, first, 20)
    assert found[0] == pytest.approx(1)
    assert found[1] < 0.3


def test_the_share_of_the_token_is_one_for_a_name_and_none_for_noise():
    rng = np.random.default_rng(3)
    ids, first = rng.integers(0, 5, 3000), np.arange(3000) % 2 == 0
    half = np.where(ids == 2, 1.0 + rng.normal(0, 1, 3000), 0)
    f = np.column_stack([ids == 1, rng.random(3000) < 0.3, half, np.zeros(3000)]).astype(float)
    found = token_share(sparse.csr_matrix(f), ids, first, 5)
    assert found[0] == pytest.approx(1)
    assert abs(found[1]) < 0.02
    p = (ids == 2).mean()
    assert found[2] == pytest.approx(p * (1 - p) / (p * (1 - p) + p), abs=0.05)
    assert np.isnan(found[3])


def test_split_information_is_one_for_leaves_with_own_carriers_and_zero_for_one_carrier():
    leaf = np.repeat([0, 1, 2], 50)
    assert split_information(leaf + 7, leaf, 3) == pytest.approx(1)
    assert split_information(np.zeros(150, int), leaf, 3) == pytest.approx(0, abs=1e-12)


def test_contexts_exchanged_among_equal_tokens_keep_what_the_token_tells():
    rng = np.random.default_rng(4)
    token = rng.integers(0, 4, 800)
    of_token = token // 2
    np.testing.assert_allclose(token_null(of_token, of_token, token, 2, 20, rng), 1)
    context = rng.integers(0, 2, 800)
    assert token_null(context, context, token, 2, 20, rng).max() < 0.05


def make(rows: np.ndarray) -> Dictionary:
    rows = rows.astype(np.float32)
    return Dictionary(
        "batchtopk", 1, 0, 1.0, rows, rows, np.zeros(len(rows), np.float32), np.zeros(rows.shape[1], np.float32), 0.0
    )


def test_the_carrier_is_the_latent_that_contributes_most_along_the_concept():
    one = make(np.eye(3))
    h = np.zeros((60, 3), np.float32)
    h[:20, 0], h[20:40, 0], h[20:40, 1] = 2, 1, 2
    events = Events(np.arange(40), np.zeros(40, int), ("a",))
    found = carriers(one, one.encoded(h), heading(h, events), events)
    assert (found[:20] == 0).all()
    assert (found[20:] == 1).all()
    silent = carriers(one, sparse.csr_matrix((60, 3), dtype=np.float32), heading(h, events), events)
    assert (silent == NOBODY).all()


def test_counts_of_carriers_and_descents():
    small = np.array([0] * 60 + [1] * 40 + [NOBODY] * 10)
    large = np.array([5] * 30 + [6] * 30 + [7] * 40 + [7] * 10)
    assert carrying(small).tolist() == [0, 1]
    assert effective_latents(np.array([0, 1] * 50)) == pytest.approx(2)
    assert descents(small, large) == [(0, 5), (0, 6), (1, 7)]


def test_probes_count_the_latents_of_a_concept_and_absorption_is_seen():
    rng = np.random.default_rng(5)
    kind = rng.integers(0, 4, 4000)  # 0 and 1 are the concept, each with a latent of its own
    h = np.zeros((4000, 4), np.float32)
    h[np.arange(4000), kind] = np.where(kind < 2, 3, 1) + 0.1 * rng.random(4000)
    first = rng.random(4000) < 0.5
    on = kind < 2
    events = Events(np.flatnonzero(on), np.zeros(int(on.sum()), int), ("a",))
    found = probed(make(np.eye(4)), make(np.eye(4)).encoded(h), h, events, first, rng)
    assert found.latents == 2
    assert found.absorbed == 0
    both = make(np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) / np.sqrt([[2], [1], [1]]))
    assert probed(both, both.encoded(h), h, events, first, rng).latents == 1
    rare = kind == 1
    keep = ~rare | (rng.random(4000) < 0.03)  # the second kind is rare: the count leaves its latent out
    events = Events(np.flatnonzero((on & keep)[keep]), np.zeros(int((on & keep).sum()), int), ("a",))
    found = probed(make(np.eye(4)), make(np.eye(4)).encoded(h[keep]), h[keep], events, first[keep], rng)
    assert found.latents == 1
    assert 0 <= found.absorbed < 0.1


def test_logistic_regression_ends_where_the_gradient_is_zero():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(500, 2))
    y = rng.random(500) < 1 / (1 + np.exp(-(x @ [1.0, -2.0] + 0.5)))
    w = logistic_fit(x, y)
    p = 1 / (1 + np.exp(-(x @ w[:2] + w[2])))
    np.testing.assert_allclose(x.T @ (p - y) / 500 + 1e-3 * w[:2], 0, atol=1e-6)
    np.testing.assert_allclose(w, [1.0, -2.0, 0.5], atol=0.5)
