"""The offset test: is b - a + c near d, when a is to b as c is to d? With the baselines that it must beat.

Words are unit vectors, the answer is the word of highest cosine with b - a + c (Mikolov, Yih and Zweig 2013).
Customarily a, b and c may not be the answer. Without that rule the answer is often c or b itself, and with it, the
nearest neighbour of c is often d whatever a and b are (Linzen 2016, "Issues in evaluating semantic spaces using word
analogies"); both are measured here.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.linear_representation.shared.word_vectors import Vectors

Relations = dict[str, tuple[tuple[str, str], ...]]
"""Families of pairs that are meant to share one relation."""

METHODS = ("offset", "neighbour", "random", "shuffled")
"""The offset of another pair of the family; none at all (the nearest neighbour of c); the offset between two
unrelated words; and an offset within the family from the wrong partner, a to b' of another pair."""

FEWEST = 4
"""Pairs that a family needs: with fewer, no exchange of partners leaves two offsets without a true pair in common."""

Hits = NDArray[np.float64]


class Questions(NamedTuple):
    """Rows of `a`, `b`, `c` and `d` (question,): a is to b as c is to d; `pair` (question,) numbers the pair c, d."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    c: NDArray[np.int64]
    d: NDArray[np.int64]
    pair: NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """Shares of questions answered rightly, per pair c, d, averaged over the pairs a, b of its family.

    `excluded`, `included` (method, pair): the question's own words are barred from the answer, or not. `echoed`
    (method, pair): the answer, when nothing is barred, is one of the question's words. `rank` (method, pair) is the
    median rank of d, barred words left out (1 is right).
    """

    excluded: Hits
    included: Hits
    echoed: Hits
    rank: Hits


def known_pairs(relations: Relations, vectors: Vectors) -> Relations:
    """Return the pairs of which both words have vectors, in families of at least `FEWEST` such pairs."""
    kept = {
        family: tuple(pair for pair in pairs if all(word in vectors.number for word in pair))
        for family, pairs in relations.items()
    }
    return {family: pairs for family, pairs in kept.items() if len(pairs) >= FEWEST}


def questions(relations: Relations, vectors: Vectors) -> Questions:
    """Return every ordered pair of pairs within a family that has four distinct words; pairs count through families."""
    rows, first = [], 0
    for pairs in relations.values():
        number = [(vectors.number[a], vectors.number[b]) for a, b in pairs]
        rows += [
            (*number[one], *number[two], first + two)
            for one, two in permutations(range(len(pairs)), 2)
            if len({*number[one], *number[two]}) == 4
        ]
        first += len(pairs)
    return Questions(*np.array(rows, np.int64).reshape(-1, 5).T)


def ask(relations: Relations, vectors: Vectors, seed: int) -> Answers:
    """Return how the offset and its three baselines answer the questions of `relations` (all words known)."""
    asked = questions(relations, vectors)
    count = sum(len(pairs) for pairs in relations.values())
    rng = np.random.default_rng(seed)
    answers = [_answers(asked, a, b, vectors, count) for a, b in _offsets(asked, relations, vectors, rng)]
    return Answers(*(np.stack(each) for each in zip(*answers, strict=True)))


def _offsets(
    asked: Questions, relations: Relations, vectors: Vectors, rng: np.random.Generator
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows a and b of each method, in the order of `METHODS`; equal rows make no offset."""
    wrong: dict[tuple[int, int], int] = {}
    for pairs in relations.values():
        turn = 1 + int(rng.integers(len(pairs) - 1))
        wrong |= {
            (vectors.number[a], vectors.number[b]): vectors.number[pairs[(k + turn) % len(pairs)][1]]
            for k, (a, b) in enumerate(pairs)
        }
    shuffled = np.array([wrong[a, b] for a, b in zip(asked.a, asked.b, strict=True)], np.int64)
    # A wrong partner that is c or d itself would answer or spoil the question: such an offset is left at zero.
    shuffled = np.where((shuffled == asked.c) | (shuffled == asked.d), asked.a, shuffled)
    random = rng.integers(len(vectors.words), size=(2, len(asked.a)))
    random = np.where((random == asked.d).any(0), asked.c, random)
    return [(asked.a, asked.b), (asked.c, asked.c), (random[0], random[1]), (asked.a, shuffled)]


def _answers(
    asked: Questions, a: NDArray[np.int64], b: NDArray[np.int64], vectors: Vectors, count: int
) -> tuple[Hits, ...]:
    """Return `excluded`, `included`, `echoed` and `rank` (pair,) for offsets from rows `a` to rows `b`."""
    matrix = vectors.matrix
    found: list[list[NDArray[np.float64]]] = []
    for part in np.array_split(np.arange(len(asked.a)), max(1, len(asked.a) // 256)):  # keeps the scores small
        scores = (matrix[b[part]] - matrix[a[part]] + matrix[asked.c[part]]) @ matrix.T
        row, d = np.arange(len(part)), asked.d[part]
        best = scores.argmax(1)
        # A baseline bars the question's words and its own: no handicap of its own makes the offset look good.
        barred = np.stack([asked.a[part], asked.b[part], asked.c[part], a[part], b[part]])
        echoed = (best == barred).any(0)
        free = scores.copy()
        free[row, barred] = -np.inf
        rank = 1.0 + (free > scores[row, d][:, None]).sum(1)
        found.append([rank == 1, best == d, echoed, rank])
    excluded, included, echoed, rank = (np.concatenate(each) for each in zip(*found, strict=True))
    asked_of = np.maximum(np.bincount(asked.pair, minlength=count), 1)
    shares = [np.bincount(asked.pair, hits, minlength=count) / asked_of for hits in (excluded, included, echoed)]
    middle = [np.median(rank[asked.pair == pair]) if (asked.pair == pair).any() else 1.0 for pair in range(count)]
    return (*shares, np.array(middle))


def parallelism(relations: Relations, vectors: Vectors) -> NDArray[np.float64]:
    """Return, per pair, the mean cosine of its offset b - a with the other offsets of its family.

    1 when all are parallel; 0 on average for unrelated directions.
    """
    found = []
    for pairs in relations.values():
        offsets = np.array([vectors.matrix[vectors.number[b]] - vectors.matrix[vectors.number[a]] for a, b in pairs])
        cosines = _cosines(offsets)
        found.append((cosines.sum(1) - 1) / (len(pairs) - 1))
    return np.concatenate(found)


def shuffled_parallelism(relations: Relations, vectors: Vectors) -> NDArray[np.float64]:
    """Return `parallelism` with partners exchanged in turn within each family, averaged over all turns.

    What is left is shared by any offset from the family's first words to its second words, such as a difference of
    frequency or of part of speech.
    """
    found = []
    for pairs in relations.values():
        first = np.array([vectors.matrix[vectors.number[a]] for a, _ in pairs])
        second = np.array([vectors.matrix[vectors.number[b]] for _, b in pairs])
        turned = [_apart(_cosines(np.roll(second, -turn, 0) - first), turn) for turn in range(1, len(pairs))]
        found.append(np.mean(turned, axis=0))
    return np.concatenate(found)


def _apart(cosines: NDArray[np.float64], turn: int) -> NDArray[np.float64]:
    """Return, per pair, the mean cosine with the offsets that share no true pair with it.

    When pair k takes the partner of pair k + turn, those two offsets hold one true pair between them with opposite
    signs, and its likeness alone would make them point apart.
    """
    count = len(cosines)
    distance = (np.arange(count)[:, None] - np.arange(count)) % count
    free = ~np.isin(distance, (0, turn, count - turn))
    return np.asarray((cosines * free).sum(1) / free.sum(1))


def _cosines(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    directions = (rows / length).astype(np.float64)
    return np.asarray(directions @ directions.T)


def families_of(relations: Relations) -> NDArray[np.int64]:
    """Return the number of each pair's family, (pair,)."""
    return np.repeat(np.arange(len(relations)), [len(pairs) for pairs in relations.values()])
