"""Detectors, shares of the token, carriers and probes, against brute force and constructed cases."""

import numpy as np
import pytest
from scipy import sparse

from experiments.core.split_information import NOBODY
from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.detection import LEVELS, best_detectors, thresholds, token_detector
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


def brute_force(f: np.ndarray, labels: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F1 (label,) on the other half of what is best `here`, and its column (label,), one detector at a time."""
    scores, columns = [], []
    for label in labels.T:
        best = (-1.0, 0, 0.0)
        for level in LEVELS:
            for column in range(f.shape[1]):
                positive = np.sort(f[here, column][f[here, column] > 0])
                silent = np.inf if level else 0.0
                above = positive[int(level * len(positive))] if level and len(positive) else silent
                fires = f[here, column] > above
                f1 = 2 * (fires & label[here]).sum() / (fires.sum() + label[here].sum())
                if f1 > best[0]:
                    best = f1, column, above
        fires, present = f[~here, best[1]] > best[2], label[~here]
        scores.append(2 * (fires & present).sum() / (fires.sum() + present.sum()))
        columns.append(best[1])
    return np.array(scores), np.array(columns)


@pytest.mark.parametrize("ties", [False, True])
def test_the_best_detector_is_that_of_trying_every_column_and_threshold(ties):
    rng = np.random.default_rng(0)
    f = activations(rng, columns=9).astype(np.float32)
    if ties:
        f = np.ceil(f * 4) / np.float32(4)
    f[:, 5] = 0
    labels = rng.random((400, 4)) < 0.2
    labels[:, 1] = f[:, 3] > 0.5
    labels[:, 2] = labels[:, 0] & (f[:, 2] > 0)
    first = rng.random(400) < 0.5
    found = best_detectors(sparse.csr_matrix(f), labels, first)
    wanted = [brute_force(f, labels, half) for half in (first, ~first)]
    np.testing.assert_array_equal(found.column, [columns for _, columns in wanted])
    np.testing.assert_allclose(found.f1, np.mean([scores for scores, _ in wanted], axis=0), rtol=1e-14)


def test_thresholds_are_quantiles_of_positive_values():
    values = np.array([2, 4, 1, 3, 2, 1, 4, 3], np.float32)
    found = thresholds(values, np.array([4, 0, 4]))
    np.testing.assert_array_equal(found[LEVELS.index(0.5)], [3, np.inf, 3])
    np.testing.assert_array_equal(found[LEVELS.index(0.0)], [0, 0, 0])


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


def test_the_null_is_that_of_exchanging_and_counting_anew():
    token, leaf, carrier = (
        np.random.default_rng(7).integers(low, high, 500) for low, high in ((0, 9), (0, 3), (-1, 6))
    )
    home, rng = np.argsort(token, kind="stable"), np.random.default_rng(8)
    wanted = []
    for _ in range(5):
        order = np.argsort(token[home] + rng.random(500))
        wanted.append(split_information(carrier[home], leaf[home][order], 3))
    np.testing.assert_array_equal(token_null(carrier, leaf, token, 3, 5, np.random.default_rng(8)), wanted)


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
    found = probed(make(np.eye(4)), make(np.eye(4)).encoded(h), heading(h, events), events, first, rng)
    assert found.latents == 2
    assert found.absorbed == 0
    both = make(np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) / np.sqrt([[2], [1], [1]]))
    assert probed(both, both.encoded(h), heading(h, events), events, first, rng).latents == 1
    rare = kind == 1
    keep = ~rare | (rng.random(4000) < 0.03)  # the second kind is rare: the count leaves its latent out
    events = Events(np.flatnonzero((on & keep)[keep]), np.zeros(int((on & keep).sum()), int), ("a",))
    concept = heading(h[keep], events)
    found = probed(make(np.eye(4)), make(np.eye(4)).encoded(h[keep]), concept, events, first[keep], rng)
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
