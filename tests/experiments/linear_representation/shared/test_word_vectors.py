"""Counted and predicted word vectors against plain loops and a corpus with a known structure."""

import numpy as np
import pytest

from experiments.linear_representation.shared.skip_gram import SkipGram, keep_chances, noise_table, train_skip_gram
from experiments.linear_representation.shared.source_corpus import Corpus
from experiments.linear_representation.shared.word_vectors import cooccurrence, count_vectors, ppmi, unit


def corpus(tokens: list[int], starts: list[int]) -> Corpus:
    counts = np.bincount(tokens)
    words = tuple(f"w{k}" for k in range(len(counts)))
    return Corpus(words, counts, np.array(tokens, np.int32), np.array(starts), "", len(starts) - 1)


def two_topics() -> Corpus:
    """Words 0 to 4 occur near each other, and words 5 to 9; never one of each."""
    rng = np.random.default_rng(0)
    files = [rng.integers(5, size=60) + 5 * (k % 2) for k in range(80)]
    return corpus(np.concatenate(files).tolist(), list(range(0, 81 * 60, 60)))


def test_cooccurrences_are_those_of_a_plain_loop_within_files():
    made = corpus([0, 1, 2, 1, 0, 2], [0, 4, 6])
    expected = np.zeros((3, 3))
    for begin, end in ((0, 4), (4, 6)):
        for i in range(begin, end):
            for j in range(begin, end):
                if 0 < abs(i - j) <= 2:
                    expected[made.tokens[i], made.tokens[j]] += (3 - abs(i - j)) / 2
    assert np.allclose(cooccurrence(made, 3, 2).toarray(), expected)


def test_rare_words_are_taken_out_before_distances_are_measured():
    assert cooccurrence(corpus([0, 2, 1], [0, 3]), 2, 1).toarray().tolist() == [[0, 1], [1, 0]]


def test_ppmi_is_the_formula():
    counts = cooccurrence(two_topics(), 10, 2)
    C = counts.toarray()
    smooth = C.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        expected = np.log(C / C.sum() / np.outer(C.sum(1) / C.sum(), smooth / smooth.sum()))
    assert np.allclose(ppmi(counts).toarray(), np.maximum(expected, 0))


@pytest.mark.parametrize("kind", ["counting", "skip-gram"])
def test_words_of_one_topic_are_alike_and_of_two_topics_are_not(kind):
    made = two_topics()
    recipe = SkipGram(dimension=8, window=3, epochs=8, learning_rate=0.05, thinning=1.0)
    vectors = count_vectors(made, 1, 3, 2) if kind == "counting" else train_skip_gram(made, 1, recipe, (0,))[0]
    rows = vectors.matrix[[vectors.number[f"w{k}"] for k in range(10)]]
    cosines = rows @ rows.T
    assert cosines[:5, :5].min() > 0.5
    assert cosines[5:, 5:].min() > 0.5
    assert cosines[:5, 5:].max() < 0.3


def test_a_seed_gives_the_same_bytes_whatever_trains_beside_it():
    recipe = SkipGram(dimension=8, epochs=1)
    alone = train_skip_gram(two_topics(), 1, recipe, (3,))[0]
    beside = train_skip_gram(two_topics(), 1, recipe, (1, 3, 2))[1]
    assert alone.matrix.tobytes() == beside.matrix.tobytes()


def test_seeds_differ():
    one, two = train_skip_gram(two_topics(), 1, SkipGram(dimension=8, epochs=1), (0, 1))
    assert not np.allclose(one.matrix, two.matrix)


def test_noise_is_drawn_by_counts_to_the_three_quarters():
    counts = np.array([1000, 100, 10])
    shares = np.bincount(noise_table(counts, 1 << 16)) / (1 << 16)
    assert np.allclose(shares, counts**0.75 / (counts**0.75).sum(), atol=1e-4)


def test_frequent_words_are_thinned_out_and_rare_ones_kept():
    chances = keep_chances(np.array([9_000, 999, 1]), 1e-3)
    ratio = 1e-3 / 0.9
    assert chances[0] == pytest.approx(np.sqrt(ratio) + ratio)
    assert chances[2] == 1


def test_rows_have_length_one_and_zero_stays_zero():
    assert unit([[3.0, 4.0], [0.0, 0.0]]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
