"""Is king - man + woman near queen? Statement B3, on ready word vectors, if a file of them is given.

`make report WORD_VECTORS=<file>` gives it: GloVe or word2vec text format, plain or gzipped. Its digest is part of the
run's key. Without a file there is nothing to run, and the page says how to give one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.core import progress
from experiments.core.contract import Experiment
from experiments.core.criteria import AtMost, Evidence, inconclusive_if, where
from experiments.core.errors import ReportError
from experiments.core.given_files import given_file, sha256_of
from experiments.core.quantities import Quantity, exact
from experiments.linear_representation.shared import analogy_claims
from experiments.linear_representation.shared.analogies import Relations, known_pairs
from experiments.linear_representation.shared.analogy_figures import (
    answers_figure,
    families_figure,
    parallel_figure,
    queen_figure,
)
from experiments.linear_representation.shared.analogy_results import OffsetResult, Scores, counted, nearest, offset_test
from experiments.linear_representation.shared.vector_file import read_vectors
from experiments.linear_representation.shared.word_vectors import Vectors

FILE = given_file("WORD_VECTORS")


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    words: Any = text.replace(":", " ").split()
    return tuple(zip(words[::2], words[1::2], strict=True))


RELATIONS: Relations = {
    "man, woman": _pairs("""
        man:woman king:queen boy:girl father:mother son:daughter brother:sister uncle:aunt husband:wife
        grandfather:grandmother nephew:niece prince:princess actor:actress waiter:waitress hero:heroine"""),
    "country, capital": _pairs("""
        france:paris germany:berlin italy:rome spain:madrid england:london japan:tokyo china:beijing russia:moscow
        greece:athens egypt:cairo poland:warsaw sweden:stockholm norway:oslo turkey:ankara cuba:havana"""),
    "country, people": _pairs("""
        france:french germany:german italy:italian spain:spanish england:english japan:japanese china:chinese
        russia:russian greece:greek poland:polish sweden:swedish turkey:turkish portugal:portuguese"""),
    "singular, plural": _pairs("""
        dog:dogs cat:cats house:houses car:cars tree:trees child:children man:men woman:women hand:hands city:cities
        bird:birds country:countries"""),
    "comparative": _pairs("""
        big:bigger small:smaller good:better bad:worse old:older young:younger long:longer short:shorter fast:faster
        slow:slower high:higher low:lower strong:stronger"""),
    "past": _pairs("""
        go:went see:saw take:took give:gave write:wrote run:ran walk:walked play:played say:said think:thought
        speak:spoke"""),
    "opposite ends": _pairs("""
        min:max first:last upper:lower true:false left:right start:end top:bottom before:after old:new high:low up:down
        big:little"""),
    "opposite actions": _pairs("""
        start:stop read:write open:close add:remove push:pull send:receive enter:exit import:export create:destroy
        buy:sell give:take win:lose"""),
}
"""Fixed before any vectors were seen. A word is looked up as it stands, else with a capital letter or in capitals."""

QUESTION = ("king", "man", "woman", "queen")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    most: int = 50_000  # words of the file that are possible answers
    shown: int = 8  # nearest words drawn for king - man + woman


@dataclass(frozen=True)
class Counts:
    """Counts of lines read, `bad` ones among them, words kept, their dimensions, and pairs asked.

    `pairs` of the pairs asked have vectors, in `families`; `missing` have none.
    """

    lines: Quantity
    bad: Quantity
    words: Quantity
    dimension: Quantity
    asked: Quantity
    pairs: Quantity
    families: Quantity
    missing: Quantity


@dataclass(frozen=True)
class Result(OffsetResult):
    """The offset test, and the words `nearest` to king - man + woman with their `cosines`, nothing barred.

    `nearest` is empty if one of the words has no vector; `queen_rank` is queen's rank with the three words barred, and
    `neighbour_rank` its rank among the words nearest to woman or king alone, whichever is better.
    """

    given: Scores
    counts: Counts
    nearest: tuple[str, ...]
    cosines: np.ndarray  # (nearest word,)
    queen_rank: Quantity
    neighbour_rank: Quantity


experiment = Experiment(
    __name__,
    title="Offsets between words of a given file",
    config=Config(),
    quick=Config(most=5_000),
    inputs=(FILE,) if FILE else (),
    dormant="" if FILE else "no file of word vectors was given; `make report WORD_VECTORS=<file>` gives one",
)


@experiment.run
def run(config: Config, device: str) -> Result:
    assert FILE is not None  # a dormant experiment is not run
    asked = {word for pairs in RELATIONS.values() for pair in pairs for word in pair} | set(QUESTION)
    written = {form for word in asked for form in (word, word.capitalize(), word.upper())}
    read = read_vectors(FILE, config.most, frozenset(written))
    progress.advance("word vectors", 0.6)
    vectors = read.vectors
    relations: Relations = {
        family: tuple((_found(a, vectors), _found(b, vectors)) for a, b in pairs) for family, pairs in RELATIONS.items()
    }
    _refuse_strangers(relations, vectors)
    tested = offset_test(relations, {"given": [vectors]}, FILE.name, sha256_of(FILE), config.seed)
    words, cosines, rank, alone = _queen(vectors, config.shown)
    return Result(
        **vars(tested),
        given=tested.overall[0],
        counts=Counts(
            lines=counted(read.lines),
            bad=counted(read.bad),
            words=counted(len(vectors.words)),
            dimension=counted(vectors.matrix.shape[1]),
            asked=counted(sum(map(len, RELATIONS.values()))),
            pairs=counted(len(tested.pairs)),
            families=counted(len(tested.families)),
            missing=counted(len(tested.missing)),
        ),
        nearest=words,
        cosines=cosines,
        queen_rank=rank,
        neighbour_rank=alone,
    )


def _found(word: str, vectors: Vectors) -> str:
    return next((form for form in (word, word.capitalize(), word.upper()) if form in vectors.number), word)


def _refuse_strangers(relations: Relations, vectors: Vectors) -> None:
    """Raise ReportError for vectors that answer no question at all, as those of another language."""
    if known_pairs(relations, vectors):
        return
    asked = dict.fromkeys(word for pairs in relations.values() for pair in pairs for word in pair)
    lacking = [word for word in asked if word not in vectors.number]
    raise ReportError(
        f"the word vectors lack {len(lacking)} of {len(asked)} words asked for ({', '.join(lacking[:5])}, ...), "
        "too many for a single relation; give vectors of English words"
    )


def _queen(vectors: Vectors, shown: int) -> tuple[tuple[str, ...], np.ndarray, Quantity, Quantity]:
    """Return the words nearest to king - man + woman, their cosines, and queen's ranks; rank 0 where a word lacks."""
    question = [_found(word, vectors) for word in QUESTION]
    if any(word not in vectors.number for word in question):
        none = exact(0, method="a word of the question has no vector")
        return (), np.zeros(0), none, none
    king, man, woman, queen = (vectors.number[word] for word in question)
    target = vectors.matrix[king] - vectors.matrix[man] + vectors.matrix[woman]
    cosines = vectors.matrix @ (target / np.linalg.norm(target))
    order = np.argsort(-cosines, kind="stable")[:shown]
    alone = min(_rank(vectors.matrix @ vectors.matrix[word], queen, [king, man, woman]) for word in (woman, king))
    rank = _rank(cosines, queen, [king, man, woman])
    words = tuple(vectors.words[row] for row in order)
    return words, cosines[order].astype(np.float64), exact(rank, method="a count"), exact(alone, method="a count")


def _rank(scores: np.ndarray, row: int, barred: list[int]) -> int:
    """Return the rank of `row` among `scores` (word,), counted from 1, without the barred rows."""
    better = scores > scores[row]
    better[barred] = False
    return 1 + int(better.sum())


@experiment.figure(
    "word-offset-queen",
    title="The words nearest to king − man + woman",
    caption="Cosines with king − man + woman in {source}, nothing barred. With the three words barred queen has rank "
    "{queen_rank:.0f}; among the neighbours of king or woman alone it has rank {neighbour_rank:.0f}.",
    alt="Bars of the cosine of the nearest words with king minus man plus woman; words of the question are hatched.",
)
def draw_queen(result: Result) -> Figure:
    return queen_figure(result.nearest, result.cosines)


@experiment.figure(
    "word-offset-families",
    title="The offset test on the given vectors, family by family",
    caption="Share of questions a : b = c : ? answered rightly when a, b and c may not be the answer: over all "
    "families {given.offset:%} with the offset, {given.neighbour:% value} for the word nearest to c.",
    alt="Dots with intervals, one row per family, four methods each.",
    interval="95 % percentile bootstrap over the pairs of a family",
)
def draw_families(result: Result) -> Figure:
    return families_figure(result)


@experiment.figure(
    "word-offset-answers",
    title="What the nearest word to b − a + c is, in the given vectors",
    caption="With nothing barred, the nearest word is a word of the question in {given.echoed:% value} of "
    "questions and the fourth word in {given.included:% value}.",
    alt="A stacked bar divided into the fourth word, a word of the question, and another.",
)
def draw_answers(result: Result) -> Figure:
    return answers_figure(result)


@experiment.figure(
    "word-offset-parallel",
    title="How parallel offsets are in the given vectors",
    caption="Each dot is a pair: the mean cosine of its offset with the others of its family, on average "
    "{given.parallel}; with partners exchanged {given.parallel_shuffled:value}.",
    alt="Dots per family for true and exchanged partners.",
)
def draw_parallel(result: Result) -> Figure:
    return parallel_figure(result)


@experiment.claim(
    "word-offset-queen",
    title="king − man + woman is nearest to queen",
    statements=("B3",),
    test="Rank of queen by cosine with king − man + woman, the three words barred and not.",
    criterion=analogy_claims.queen_comes_first(
        inconclusive_if(where(rank=AtMost(0))),
        rank="queen's rank with the three words barred (0 where a word has no vector)",
    ),
    figures=("word-offset-queen",),
)
def rank_of_queen(result: Result) -> Evidence:
    return analogy_claims.queen(result.queen_rank, result.nearest)


@experiment.claim(
    "word-offset-beats-baselines",
    title="In the given vectors, the offset finds the fourth word more often than three baselines",
    statements=("B3",),
    test=f"{analogy_claims.BEATS_TEST}.",
    criterion=analogy_claims.BEATS,
    figures=("word-offset-families",),
)
def gains_of_the_offset(result: Result) -> Evidence:
    return analogy_claims.gains(result)


@experiment.claim(
    "word-offset-nearest",
    title="In the given vectors, the fourth word is the nearest to b − a + c",
    statements=("B3",),
    test=f"{analogy_claims.NEAREST_TEST}.",
    criterion=analogy_claims.NEAREST,
    figures=("word-offset-answers",),
)
def share_nearest(result: Result) -> Quantity:
    return nearest(result)


@experiment.claim(
    "word-offset-parallel",
    title="In the given vectors, offsets of one relation share a direction",
    statements=("B1", "B3"),
    test=analogy_claims.PARALLEL_TEST,
    criterion=analogy_claims.PARALLEL,
    figures=("word-offset-parallel",),
)
def parallel_offsets(result: Result) -> Evidence:
    return analogy_claims.parallels(result)
