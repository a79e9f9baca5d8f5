"""Every detector of a bank gives the score that its name says."""

import numpy as np
import pytest

from experiments.alarm.shared.detectors import (
    DIRECTION,
    LATENT,
    LEAST_SQUARES,
    NARROW,
    TRUE_CODE,
    Code,
    OnLatents,
    _ranked,
    bank,
    labelled,
    latent_detectors,
    logistic_name,
    network_name,
    sparse_name,
    trained_latents,
)
from experiments.alarm.shared.probes import PIECE, logistic
from experiments.alarm.shared.world import background
from experiments.core.sparse_coding import sparse_code


@pytest.fixture(scope="module")
def found(small_world):
    world, W, generator = small_world
    wide, narrow = (trained_latents(world, W[None], width, 60, 64, 1e-2, 0, "cpu")[0] for width in (30, 12))
    data = labelled(world, W, 400, generator)
    made = bank(W, data, (20, 400), (400,), 20, wide, (3,), 400, 0)
    made.on_latents.append(OnLatents(narrow, latent_detectors(data, narrow, (), 400, NARROW)[1]))
    made.codes = {TRUE_CODE: Code(np.ascontiguousarray(W.T), np.arange(2), 0.02)}
    h = background(world, generator, 300) @ W.T
    return made, W, data, wide, narrow, h


def test_scores_come_in_the_order_of_the_names(found):
    made, W, data, _, _, h = found
    names = [DIRECTION, LEAST_SQUARES, logistic_name(20), logistic_name(400), network_name(400), LATENT, sparse_name(3)]
    assert made.names == [*names, NARROW, TRUE_CODE]
    scores = made.scores(h)
    assert scores.shape == (9, 2, 300)
    np.testing.assert_allclose(scores[0], W[:, :2].T @ h.T, atol=1e-5)
    np.testing.assert_allclose(scores[1], (np.linalg.pinv(W.astype(float)) @ h.T)[:2], atol=1e-4)
    row, bias = logistic(*data.balanced(1, 400))
    np.testing.assert_allclose(scores[3, 1], h @ row + bias, atol=2e-2, rtol=1e-3)


def test_the_best_latent_is_the_one_whose_means_differ_most_and_each_autoencoder_scores_with_its_own(found):
    made, _, data, wide, narrow, h = found
    for latents, name in ((wide, LATENT), (narrow, NARROW)):
        for target in range(2):
            inputs, positive = data.balanced(target, 400)
            f = latents(inputs).astype(np.float64)
            gaps = [
                (column[positive].mean() - column[~positive].mean())
                / (np.sqrt((column[positive].var() + column[~positive].var()) / 2) + 1e-6)
                for column in f.T
            ]
            known = latents(h)[:, int(np.argmax(gaps))]
            assert known.max() > 0
            np.testing.assert_allclose(made.scores(h)[made.names.index(name), target], known, atol=1e-5)


def test_the_code_scores_with_the_targets_coefficient(found):
    made, W, _, _, _, h = found
    known = sparse_code(W.T, h, 0.02, steps=5000)[:, :2].T
    assert (known > 0.1).sum() > 10
    np.testing.assert_allclose(made.scores(h)[-1], known, atol=5e-3)


def test_a_part_of_a_bank_scores_as_the_whole(found):
    made, _, _, _, _, h = found
    names = (DIRECTION, logistic_name(400), LATENT, TRUE_CODE)
    part = made.part(names)
    assert part.names == list(names)
    places = [made.names.index(name) for name in names]
    np.testing.assert_allclose(part.scores(h), made.scores(h)[places], atol=1e-6)


def test_latents_are_ranked_alike_whether_in_pieces_or_all_at_once(found):
    _, W, _, wide, _, _ = found
    generator = np.random.default_rng(6)
    low, high = (generator.normal(at, size=(2 * PIECE + 300, len(W))).astype(np.float32) for at in (0, 0.3))
    no, yes = (wide(h).astype(np.float64) for h in (low, high))
    gap = (yes.mean(0) - no.mean(0)) / (np.sqrt((yes.var(0) + no.var(0)) / 2) + 1e-6)
    order = _ranked(wide, low, high)
    assert sorted(order) == list(range(30))
    np.testing.assert_allclose(gap[order], np.sort(gap)[::-1], atol=1e-4)
