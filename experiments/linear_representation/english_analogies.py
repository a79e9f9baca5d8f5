"""Is king - man + woman near queen, and does one offset serve a whole family of pairs? Statement B3, on real English.

The vectors are GloVe's, of the most frequent English words; they lie in this project (`shared/english_vectors.py`).
They are fixed and so is every answer: what could have come out otherwise is which pairs and which families were asked.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Evidence, Verdict, above, below
from experiments.core.given_files import sha256_of
from experiments.core.quantities import Quantity, bootstrap, share
from experiments.linear_representation.shared import analogy_claims
from experiments.linear_representation.shared.analogies import METHODS, ask, known_pairs
from experiments.linear_representation.shared.analogy_figures import (
    answers_figure,
    families_figure,
    parallel_figure,
    queen_figure,
)
from experiments.linear_representation.shared.analogy_results import OffsetResult, Scores, counted, nearest, offset_test
from experiments.linear_representation.shared.english_figures import candidates_figure, ranks_figure
from experiments.linear_representation.shared.english_pairs import (
    CAPITAL,
    COMPARATIVE,
    GENDER,
    OPPOSITE,
    PAST,
    PEOPLE,
    PLURAL,
    RELATIONS,
)
from experiments.linear_representation.shared.english_vectors import CUT, english_vectors, most_frequent
from experiments.linear_representation.shared.one_offset import OneOffset, apply_offset
from experiments.linear_representation.shared.word_vectors import Vectors

Array = NDArray[np.float64]

SHOWN = 8
"""Nearest words drawn for king - man + woman."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0  # of the baselines that draw: random offsets, and which partners are exchanged
    candidates: tuple[int, ...] = (2_500, 5_000, 10_000, 20_000)  # most frequent words that may be the answer


@dataclass(frozen=True)
class Counts:
    """Counts of words with vectors, their dimensions, pairs asked, and families.

    `pairs` of the pairs asked have vectors; `missing` have none. `fewest` is the number in the smallest family.
    """

    words: Quantity
    dimension: Quantity
    asked: Quantity
    pairs: Quantity
    families: Quantity
    missing: Quantity
    fewest: Quantity


@dataclass(frozen=True)
class ByFamily:
    """Scores of each family, with its pairs as the unit."""

    capital: Scores
    people: Scores
    gender: Scores
    plural: Scores
    comparative: Scores
    past: Scores
    opposites: Scores


@dataclass(frozen=True)
class Numbers:
    """What pages and claims quote beside the scores.

    `queen_rank` is queen's rank for king - man + woman with the three words barred, `king_rank` king's with nothing
    barred, `neighbour_rank` queen's among the words nearest to king or to woman alone, whichever is better. `aunt_rank`
    is aunt's rank for uncle - man + woman, its three words barred. `to_woman` is the share of male words whose female
    counterpart comes first after man -> woman, the question's words barred. `fewest_candidates` and `most_candidates`
    are the shares of all questions right with that many possible answers, `lost` the difference.
    """

    queen_rank: Quantity
    king_rank: Quantity
    neighbour_rank: Quantity
    aunt_rank: Quantity
    to_woman: Quantity
    fewest_candidates: Quantity
    most_candidates: Quantity
    lost: Quantity


@dataclass(frozen=True)
class Result(OffsetResult):
    """The offset test, the words nearest to king - man + woman, and what man -> woman makes of each male word.

    `nearest` are the words nearest to king - man + woman with nothing barred, and `cosines` theirs. `right_by_size` is
    the share of a pair's questions right, the question's words barred, with each number of candidates.
    """

    english: Scores
    of: ByFamily
    counts: Counts
    nearest: tuple[str, ...]
    cosines: Array  # (nearest word,)
    woman: OneOffset
    candidates: NDArray[np.int64]  # (size,)
    right_by_size: Array  # (size, pair)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Offsets between English words",
    config=Config(),
    quick=Config(candidates=(1_000, 5_000)),
    inputs=(CUT,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    every = english_vectors()
    asked = frozenset(word for pairs in RELATIONS.values() for pair in pairs for word in pair)
    vectors = most_frequent(every, max(config.candidates), asked)
    tested = offset_test(RELATIONS, {"GloVe": [vectors]}, "GloVe 6B, 50 dimensions", sha256_of(CUT), config.seed)
    progress.advance("questions", 0.5)
    known = known_pairs(RELATIONS, vectors)
    right = np.stack([
        ask(known, most_frequent(every, size, asked), config.seed).excluded[METHODS.index("offset")]
        for size in config.candidates
    ])  # fmt: skip
    woman = apply_offset(vectors, ("man", "woman"), known[GENDER])
    target, cosines = _king(vectors)
    return Result(
        **vars(tested),
        english=tested.overall[0],
        of=_by_family(tested),
        counts=_counts(tested, vectors),
        nearest=tuple(vectors.words[row] for row in target[:SHOWN]),
        cosines=cosines[target[:SHOWN]].astype(np.float64),
        woman=woman,
        candidates=np.array(config.candidates),
        right_by_size=right,
        numbers=_numbers(vectors, cosines, woman, right, tested.family),
    )


def _king(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return all rows by nearness to king - man + woman, and the cosine of each row with it."""
    target = _row(vectors, "king") - _row(vectors, "man") + _row(vectors, "woman")
    cosines = vectors.matrix @ (target / np.linalg.norm(target))
    return np.argsort(-cosines, kind="stable"), cosines


def _row(vectors: Vectors, word: str) -> NDArray[np.float32]:
    return np.asarray(vectors.matrix[vectors.number[word]])


def _by_family(tested: OffsetResult) -> ByFamily:
    found = dict(zip(tested.families, tested.by_family[0], strict=True))
    return ByFamily(*(found[name] for name in (CAPITAL, PEOPLE, GENDER, PLURAL, COMPARATIVE, PAST, OPPOSITE)))


def _counts(tested: OffsetResult, vectors: Vectors) -> Counts:
    return Counts(
        words=counted(len(vectors.words)),
        dimension=counted(vectors.matrix.shape[1]),
        asked=counted(sum(map(len, RELATIONS.values()))),
        pairs=counted(len(tested.pairs)),
        families=counted(len(tested.families)),
        missing=counted(len(tested.missing)),
        fewest=counted(int(np.bincount(tested.family).min())),
    )


def _numbers(
    vectors: Vectors, cosines: NDArray[np.float32], woman: OneOffset, right: Array, family: NDArray[np.int64]
) -> Numbers:
    question = ("king", "man", "woman")
    alone = [_rank(vectors, vectors.matrix @ _row(vectors, word), "queen", question) for word in ("king", "woman")]

    def over_families(first: int, second: int | None = None) -> Quantity:
        values = right[first] - (0.0 if second is None else right[second])
        sums, sizes = np.bincount(family, values), np.bincount(family)
        return bootstrap(
            lambda chosen: float(sums[chosen].sum() / sizes[chosen].sum()), len(sizes), of="families of pairs"
        )

    return Numbers(
        queen_rank=counted(_rank(vectors, cosines, "queen", question)),
        king_rank=counted(_rank(vectors, cosines, "king", ())),
        neighbour_rank=counted(min(alone)),
        aunt_rank=counted(int(woman.rank[woman.words.index("uncle")])),
        to_woman=share(woman.rank == 1, unit="of male words"),
        fewest_candidates=over_families(0),
        most_candidates=over_families(-1),
        lost=over_families(0, -1),
    )


def _rank(vectors: Vectors, scores: NDArray[np.float32], word: str, barred: tuple[str, ...]) -> int:
    """Return the rank of `word` by `scores` (word,), counted from 1, without the barred words."""
    better = scores > scores[vectors.number[word]]
    better[[vectors.number[each] for each in barred]] = False
    return 1 + int(better.sum())


@experiment.figure(
    "english-offset-queen",
    title="The English words nearest to king − man + woman",
    caption="With nothing barred king has rank {numbers.king_rank:.0f}; with the three words of the question "
    "barred, queen has rank {numbers.queen_rank:.0f}. Drawn are cosines with king − man + woman; words of the "
    "question are hatched.",
    alt="Bars of the cosine of the eight nearest words with king minus man plus woman; words of the question are "
    "hatched and queen has a colour of its own.",
)
def draw_queen(result: Result) -> Figure:
    return queen_figure(result.nearest, result.cosines)


@experiment.figure(
    "english-offset-families",
    title="The offset test on English vectors, family by family",
    caption="Over all families the offset answers {english.offset:%} of questions, the word nearest to c "
    "{english.neighbour:% value}, and an offset to the partner of another pair {english.shuffled:% value}. Drawn is "
    "the share of questions a : b = c : ? answered rightly when a, b and c may not be the answer; in brackets, pairs "
    "per family.",
    alt="Dots with intervals, one row per family of word pairs, four methods each: the offset, the nearest neighbour "
    "of c, a random offset, and an offset with shuffled partners.",
    interval="95 % percentile bootstrap over the pairs of a family",
)
def draw_families(result: Result) -> Figure:
    return families_figure(result)


@experiment.figure(
    "english-offset-answers",
    title="What the nearest English word to b − a + c is",
    caption="With nothing barred, the word nearest to b − a + c is a word of the question in "
    "{english.echoed:% value} of questions, and the fourth word in {english.included:% value}.",
    alt="A stacked bar divided into the fourth word, a word of the question, and another.",
)
def draw_answers(result: Result) -> Figure:
    return answers_figure(result)


@experiment.figure(
    "english-offset-parallel",
    title="How parallel English offsets of one relation are",
    caption="The mean cosine between offsets of one family is {english.parallel}, where exact parallelograms have "
    "one; with partners exchanged within the family it is {english.parallel_shuffled:value}. Each dot is a pair: the "
    "mean cosine of its offset with the other offsets of its family.",
    alt="Dots per family for true and exchanged partners, with a bar at each mean.",
)
def draw_parallel(result: Result) -> Figure:
    return parallel_figure(result)


@experiment.figure(
    "english-offset-woman",
    title="What man → woman makes of each male word",
    caption="The female counterpart is nearest to c − man + woman, the words of the question barred, for "
    "{numbers.to_woman:%} of male words c. Beside each mark stands the word that comes first; where that is not the "
    "counterpart, the counterpart follows in brackets.",
    alt="One mark per male word: the rank of its female counterpart on a logarithmic axis, with the word that comes "
    "first written beside it.",
)
def draw_woman(result: Result) -> Figure:
    return ranks_figure(result.woman)


@experiment.figure(
    "english-offset-candidates",
    title="The more words may be the answer, the fewer answers are right",
    caption="Over all families the offset answers {numbers.fewest_candidates:% value} of questions with the fewest "
    "candidate words and {numbers.most_candidates:% value} with the most. Drawn is the share of questions right by "
    "b − a + c, the question's words barred, over how many of the most frequent words may be the answer.",
    alt="One line per family of word pairs over the number of candidate words, on a logarithmic axis.",
)
def draw_candidates(result: Result) -> Figure:
    return candidates_figure(result, result.candidates, result.right_by_size)


@experiment.claim(
    "english-offset-queen",
    title="In English vectors, king − man + woman is nearest to queen",
    statements=("B3",),
    test="Rank of queen by cosine with king − man + woman, with the three words barred and with nothing barred.",
    criterion=analogy_claims.queen_comes_first(),
    figures=("english-offset-queen",),
    published=Verdict.MIXED,
)
def rank_of_queen(result: Result) -> Evidence:
    return analogy_claims.queen(result.numbers.queen_rank, result.nearest)


@experiment.claim(
    "english-offset-beats-baselines",
    title="On English vectors, the offset finds the fourth word more often than three baselines",
    statements=("B3",),
    test=f"{analogy_claims.BEATS_TEST}; families are the unit.",
    criterion=analogy_claims.BEATS,
    figures=("english-offset-families",),
    published=Verdict.SUPPORTED,
)
def gains_of_the_offset(result: Result) -> Evidence:
    return analogy_claims.gains(result)


@experiment.claim(
    "english-offset-every-family",
    title="The offset beats its baselines in every family of English pairs",
    statements=("B3",),
    test="The same difference within each family, opposites included; pairs are the unit. Statistic: the lowest.",
    criterion=analogy_claims.EVERY_FAMILY,
    figures=("english-offset-families",),
    published=Verdict.REFUTED,
)
def gains_by_family(result: Result) -> Evidence:
    return analogy_claims.family_gains(result)


@experiment.claim(
    "english-offset-nearest",
    title="On English vectors, the fourth word is the nearest to b − a + c",
    statements=("B3",),
    test=f"{analogy_claims.NEAREST_TEST}.",
    criterion=analogy_claims.NEAREST,
    figures=("english-offset-answers",),
    published=Verdict.MIXED,
)
def share_nearest(result: Result) -> Quantity:
    return nearest(result)


@experiment.claim(
    "english-offset-parallel",
    title="On English vectors, offsets of one relation share a direction",
    statements=("B1", "B3"),
    test=analogy_claims.PARALLEL_TEST,
    criterion=analogy_claims.PARALLEL,
    figures=("english-offset-parallel",),
    published=Verdict.MIXED,
)
def parallel_offsets(result: Result) -> Evidence:
    return analogy_claims.parallels(result)


@experiment.claim(
    "english-offset-woman",
    title="man → woman finds the female counterpart of most male words",
    statements=("B3",),
    test="Share of male words c for which c − man + woman is nearest to the female counterpart, c, man and woman "
    "barred; words are the unit.",
    criterion=above(0.5),
    figures=("english-offset-woman",),
    published=Verdict.SUPPORTED,
)
def share_of_male_words(result: Result) -> Quantity:
    return result.numbers.to_woman


@experiment.claim(
    "english-offset-candidates",
    title="The number of candidate words changes the share of right answers by less than a tenth",
    statements=("B3",),
    test="Share of questions right with the fewest candidate words less that with the most, own words barred; "
    "families are the unit.",
    criterion=below(0.1),
    figures=("english-offset-candidates",),
    published=Verdict.INCONCLUSIVE,
)
def lost_to_candidates(result: Result) -> Quantity:
    return result.numbers.lost
