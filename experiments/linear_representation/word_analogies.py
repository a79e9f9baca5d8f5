"""Is king - man + woman near queen? Statement B3, on ready word vectors, if a file of them is given.

`make report WORD_VECTORS=<file>` gives it: GloVe or word2vec text format, plain or gzipped. Its digest is part of the
run's key. Without a file there is nothing to run, and the page says how to give one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, Finding, Verdict
from experiments.core.given_files import given_file, sha256_of
from experiments.core.quantities import Quantity, exact
from experiments.linear_representation.shared.analogies import Relations
from experiments.linear_representation.shared.analogy_figures import answers_figure, families_figure, parallel_figure
from experiments.linear_representation.shared.analogy_results import (
    OffsetResult,
    gains,
    least,
    offset_beats_baselines,
    offset_is_nearest,
    offset_test,
    offsets_are_parallel,
)
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
"""Fixed before any vectors were seen. Each word is looked up as it stands, and else with a capital letter."""

QUESTION = ("king", "man", "woman", "queen")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    most: int = 50_000  # words of the file that are possible answers
    shown: int = 8  # nearest words drawn for king - man + woman


@dataclass(frozen=True)
class Result(OffsetResult):
    """The offset test, and the words nearest to king - man + woman with their cosines, nothing barred.

    `nearest` is empty if one of the words has no vector; `queen_rank` is queen's rank with the three words barred, and
    `neighbour_rank` its rank among the words nearest to woman or king alone, whichever is better.
    """

    nearest: tuple[str, ...]
    cosines: np.ndarray
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
    read = read_vectors(FILE, config.most, frozenset(asked | {word.capitalize() for word in asked}))
    progress.advance("word vectors", 0.6)
    vectors = read.vectors
    relations: Relations = {
        family: tuple((_found(a, vectors), _found(b, vectors)) for a, b in pairs) for family, pairs in RELATIONS.items()
    }
    counts = {
        "lines": read.lines,
        "bad": read.bad,
        "words": len(vectors.words),
        "dimension": vectors.matrix.shape[1],
        "asked": sum(map(len, RELATIONS.values())),
    }
    with threadpool_limits(1):
        tested = offset_test(relations, {"given": [vectors]}, FILE.name, sha256_of(FILE), counts, config.seed)
        nearest, cosines, rank, alone = _queen(vectors, config.shown)
    return Result(**vars(tested), nearest=nearest, cosines=cosines, queen_rank=rank, neighbour_rank=alone)


def _found(word: str, vectors: Vectors) -> str:
    capital = word.capitalize()
    return capital if word not in vectors.number and capital in vectors.number else word


def _queen(vectors: Vectors, shown: int) -> tuple[tuple[str, ...], np.ndarray, Quantity, Quantity]:
    """Return the words nearest to king - man + woman, their cosines, and queen's ranks; rank 0 where a word lacks."""
    if any(word not in vectors.number for word in QUESTION):
        none = exact(0, method="a word of the question has no vector")
        return (), np.zeros(0), none, none
    king, man, woman, queen = (vectors.number[word] for word in QUESTION)
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
    alt="Bars of the cosine of the nearest words with king minus man plus woman.",
)
def draw_queen(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=0.26 * len(result.nearest) + 1.1)
    for row, (word, cosine) in enumerate(zip(result.nearest, result.cosines, strict=True)):
        tone = "accent" if word == "queen" else "contrast" if word in QUESTION else "null"
        ax.barh(row, cosine, height=0.7, color=plotting.colour(tone), label=word)
    ax.set_yticks(range(len(result.nearest)), list(result.nearest))
    ax.invert_yaxis()
    ax.set_xlabel("cosine with king − man + woman")
    return figure


@experiment.figure(
    "word-offset-families",
    title="The offset test on the given vectors, family by family",
    caption="Share of questions a : b = c : ? answered rightly when a, b and c may not be the answer: over all "
    "families {numbers.given_offset:%} with the offset, {numbers.given_neighbour:% value} for the word nearest to c.",
    alt="Dots with intervals, one row per family, four methods each.",
    interval="95 % percentile bootstrap over the pairs of a family",
)
def draw_families(result: Result) -> Figure:
    return families_figure(result)


@experiment.figure(
    "word-offset-answers",
    title="What the nearest word to b − a + c is, in the given vectors",
    caption="With nothing barred, the nearest word is a word of the question in {numbers.given_echoed:% value} of "
    "questions and the fourth word in {numbers.given_included:% value}.",
    alt="A stacked bar divided into the fourth word, a word of the question, and another.",
)
def draw_answers(result: Result) -> Figure:
    return answers_figure(result)


@experiment.figure(
    "word-offset-parallel",
    title="How parallel offsets are in the given vectors",
    caption="Each dot is a pair: the mean cosine of its offset with the others of its family, on average "
    "{numbers.given_parallel}; with partners exchanged {numbers.given_parallel_shuffled:value}.",
    alt="Dots per family for true and exchanged partners.",
)
def draw_parallel(result: Result) -> Figure:
    return parallel_figure(result)


@experiment.claim(
    "word-offset-queen",
    title="king − man + woman is nearest to queen",
    statements=("B3",),
    test="Rank of queen by cosine with king − man + woman, the three words barred and not.",
    criterion="Supported if queen comes first with nothing barred; mixed if only with the three words barred; refuted "
    "otherwise; inconclusive if one of the words has no vector.",
    figures=("word-offset-queen",),
)
def decide_queen(result: Result) -> Finding:
    if not result.nearest:
        return Finding(result.queen_rank, Verdict.INCONCLUSIVE)
    if result.nearest[0] == "queen":
        return Finding(result.queen_rank, Verdict.SUPPORTED)
    return Finding(result.queen_rank, Verdict.MIXED if result.queen_rank.value == 1 else Verdict.REFUTED)


@experiment.claim(
    "word-offset-beats-baselines",
    title="In the given vectors, the offset finds the fourth word better than without it",
    statements=("B3",),
    test="Share of questions right by b − a + c less that of the best of three baselines, own words barred for all.",
    criterion="Supported if the interval over families is above 0; refuted if it ends below 2 points; mixed otherwise.",
    figures=("word-offset-families",),
)
def decide_beats(result: Result) -> Finding:
    return Finding(least(gains(result)), offset_beats_baselines(result))


@experiment.claim(
    "word-offset-nearest",
    title="In the given vectors, the fourth word is the nearest to b − a + c",
    statements=("B3",),
    test="Share of questions whose nearest word to b − a + c is d, with no word barred.",
    criterion="Supported if the interval over families is above one half; refuted if it ends below one quarter; mixed "
    "otherwise.",
    figures=("word-offset-answers",),
)
def decide_nearest(result: Result) -> Finding:
    return Finding(*offset_is_nearest(result))


@experiment.claim(
    "word-offset-parallel",
    title="In the given vectors, offsets of one relation share a direction",
    statements=("B1", "B3"),
    test="Mean cosine between offsets of one family, less the same with partners exchanged within the family.",
    criterion="Supported if the interval over families is above 0 and the mean cosine at least one half; mixed if "
    "only the first; refuted otherwise.",
    figures=("word-offset-parallel",),
)
def decide_parallel(result: Result) -> Finding:
    return Finding(*offsets_are_parallel(result))
