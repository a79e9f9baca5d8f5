"""The offset test on vectors whose answers are known."""

import numpy as np
import pytest

from experiments.linear_representation.shared.analogies import (
    METHODS,
    ask,
    known_pairs,
    parallelism,
    questions,
    shuffled_parallelism,
)
from experiments.linear_representation.shared.analogy_results import _scores
from experiments.linear_representation.shared.word_vectors import Vectors, unit

PAIRS = 12
RELATIONS = {"shift": tuple((f"a{k}", f"b{k}") for k in range(PAIRS))}


def planted(offset: float, noise: float = 0.0, dimension: int = 100) -> Vectors:
    """Return vectors in which every b is its a moved along one direction, and b itself is noisy, among other words."""
    rng = np.random.default_rng(1)
    a, move, others = (rng.standard_normal((count, dimension)) for count in (PAIRS, 1, 200))
    b = a + offset * move + noise * rng.standard_normal(a.shape)
    words = [f"{kind}{k}" for kind, count in (("a", PAIRS), ("b", PAIRS), ("x", 200)) for k in range(count)]
    return Vectors(tuple(words), unit(np.concatenate([a, b, others])))


def test_a_planted_parallelogram_is_found_with_and_without_barred_words():
    answers = ask(RELATIONS, planted(3.0), 0)
    assert (answers.excluded[0] == 1).all()
    assert (answers.included[0] > 0.9).all()
    neighbour, random = answers.excluded[1:3].mean(1)  # a wrong partner has the common direction, too
    assert neighbour < 0.7
    assert random < 0.7


def test_near_pairs_without_a_common_direction_are_answered_by_the_neighbour_alone():
    answers = ask(RELATIONS, planted(0.0, noise=0.5), 0)
    offset, neighbour = answers.excluded[:2].mean(1)
    assert neighbour == 1
    assert offset > 0.9
    assert answers.included[0].mean() < 0.1
    assert answers.echoed[0].mean() > 0.9


def test_unrelated_vectors_are_answered_by_nothing():
    rng = np.random.default_rng(0)
    words = tuple(word for pair in RELATIONS["shift"] for word in pair) + tuple(f"x{k}" for k in range(500))
    answers = ask(RELATIONS, Vectors(words, unit(rng.standard_normal((len(words), 60)))), 0)
    assert answers.excluded.mean() < 0.03


def test_a_rank_of_one_is_a_right_answer():
    answers = ask(RELATIONS, planted(0.6, noise=1.0), 0)
    right = answers.excluded[0] == 1
    assert right.any()
    assert (answers.rank[0, right] == 1).all()


def test_every_pair_is_asked_with_every_other_of_its_family():
    asked = questions(RELATIONS, planted(1.0))
    assert len(asked.a) == PAIRS * (PAIRS - 1)
    assert np.bincount(asked.pair).tolist() == [PAIRS - 1] * PAIRS


def test_questions_have_four_distinct_words():
    relations = {"chain": (("a0", "a1"), ("a1", "a2"), ("a3", "a4"), ("a5", "a6"))}
    asked = questions(relations, planted(1.0))
    assert all(len({*row}) == 4 for row in zip(*asked[:4], strict=True))
    assert len(asked.a) == 4 * 3 - 2


def test_pairs_without_vectors_and_small_families_are_left_out():
    relations = RELATIONS | {"gone": (("a0", "nope"), ("a1", "b1"), ("a2", "b2"), ("a3", "b3"))}
    assert known_pairs(relations, planted(1.0)) == RELATIONS


def test_parallel_offsets_have_cosine_one():
    vectors = planted(1.0)
    raw = Vectors(vectors.words, np.arange(0, len(vectors.words) * 2, dtype=np.float32).reshape(-1, 2))
    relations = {"even": (("a0", "b0"), ("a1", "b1"), ("a2", "b2"), ("a3", "b3"))}
    assert np.allclose(parallelism(relations, raw), 1)


def test_exchanged_partners_of_near_pairs_are_not_biased_apart():
    """Pairs that are near but share no direction: two exchanged offsets that hold one true pair would point apart."""
    found = [shuffled_parallelism(RELATIONS, planted(0.0, noise=0.1, dimension=400)).mean()]
    assert abs(found[0]) < 0.02


def test_true_partners_are_more_parallel_than_exchanged_ones_only_if_there_is_an_offset():
    moved, still = planted(1.0, noise=0.3), planted(0.0, noise=1.0, dimension=400)
    assert parallelism(RELATIONS, moved).mean() - shuffled_parallelism(RELATIONS, moved).mean() > 0.2
    assert abs(parallelism(RELATIONS, still).mean() - shuffled_parallelism(RELATIONS, still).mean()) < 0.05


def test_families_that_stand_or_fall_together_have_a_wider_interval():
    values, family = np.tile(np.repeat([0.0, 1.0, 0.0, 1.0], 10), (len(METHODS) + 4, 1)), np.repeat(np.arange(4), 10)
    pairs, families = _scores(values, np.arange(40), "pairs").offset, _scores(values, family, "families").offset
    assert pairs.value == families.value == pytest.approx(0.5)
    assert families.high - families.low > 2 * (pairs.high - pairs.low)
    assert (pairs.n, families.n) == (40, 4)


def test_the_gain_of_a_method_like_the_others_is_not_above_zero_by_choice_of_the_best_baseline():
    right = np.random.default_rng(0).integers(0, 2, (len(METHODS), 40)).astype(float)
    found = _scores(np.concatenate([right, np.zeros((4, 40))]), np.arange(40), "pairs")
    assert found.gain.value == pytest.approx(right[0].mean() - right[1:].mean(1).max())
    assert found.gain.low < 0
