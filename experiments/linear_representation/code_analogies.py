"""Do words of one relation differ by one offset? Statement B3, on source code.

Word vectors are trained here, on the source of Python's standard library, in two ways: counted (PPMI and a truncated
SVD) and predicted (skip-gram with negative sampling). The pairs below were fixed before any offset was measured; of
candidates, only those stayed whose words occur at least ten times.
"""

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from experiments.core import progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity
from experiments.linear_representation.shared import analogy_claims
from experiments.linear_representation.shared.analogies import Relations
from experiments.linear_representation.shared.analogy_figures import answers_figure, families_figure, parallel_figure
from experiments.linear_representation.shared.analogy_results import OffsetResult, Scores, counted, nearest, offset_test
from experiments.linear_representation.shared.skip_gram import SkipGram, train_skip_gram
from experiments.linear_representation.shared.source_corpus import CUT, standard_library
from experiments.linear_representation.shared.word_vectors import count_vectors


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    words: Any = text.replace(":", " ").split()
    return tuple(zip(words[::2], words[1::2], strict=True))


RELATIONS: Relations = {
    "do, undo": _pairs("""
        encode:decode compress:decompress pack:unpack quote:unquote escape:unescape register:unregister lock:unlock
        link:unlink"""),
    "opposite actions": _pairs("""
        get:set start:stop read:write open:close add:remove push:pop send:recv acquire:release enter:exit load:dump
        enable:disable create:delete attach:detach show:hide"""),
    "opposite ends": _pairs("""
        min:max first:last upper:lower true:false left:right start:end top:bottom head:tail before:after old:new
        high:low up:down prefix:suffix big:little minimum:maximum positive:negative begin:end"""),
    "counterparts": _pairs("""
        input:output client:server parent:child key:value source:target local:remote request:response row:column
        width:height public:private stdin:stdout src:dst reader:writer getter:setter"""),
    "verb, agent": _pairs("""
        encode:encoder decode:decoder parse:parser read:reader write:writer handle:handler load:loader find:finder
        iterate:iterator format:formatter compile:compiler listen:listener build:builder import:importer"""),
    "singular, plural": _pairs("""
        file:files name:names line:lines value:values key:keys item:items option:options argument:arguments
        header:headers module:modules test:tests byte:bytes character:characters element:elements object:objects
        class:classes"""),
    "verb, past": _pairs("""
        call:called use:used close:closed return:returned raise:raised pass:passed create:created add:added
        expect:expected support:supported define:defined convert:converted remove:removed specify:specified
        require:required"""),
    "verb, -ing": _pairs("""
        read:reading write:writing encode:encoding parse:parsing start:starting return:returning use:using
        call:calling run:running match:matching work:working wait:waiting remain:remaining close:closing"""),
}
"""What is asked. The first four families hold opposites and counterparts, whose order is in part a convention; the
last four hold forms of one word, whose order is not."""

OPPOSITES = ("do, undo", "opposite actions", "opposite ends", "counterparts")
FORMS = ("verb, agent", "singular, plural", "verb, past", "verb, -ing")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    every: int = 1  # of the library's files, this one in so many is read
    least: int = 10  # occurrences of a word that gets a vector
    window: int = 5  # words to either side
    count_dimension: int = 100
    dimension: int = 64  # of skip-gram vectors
    negatives: int = 5  # noise words per pair of words
    epochs: int = 6
    learning_rate: float = 0.05
    thinning: float = 1e-4  # words more frequent than this are thinned out
    skip_gram_seeds: int = 4


@dataclass(frozen=True)
class ByGroup:
    """Scores of one kind of vectors over all families, over those of opposites, and over those of word forms."""

    overall: Scores
    opposites: Scores
    forms: Scores


@dataclass(frozen=True)
class Counts:
    """Counts of files read, their tokens, words with vectors, pairs asked, and skip-gram seeds.

    `pairs` of the pairs asked have vectors, in `families`; `missing` have none.
    """

    files: Quantity
    tokens: Quantity
    words: Quantity
    asked: Quantity
    seeds: Quantity
    pairs: Quantity
    families: Quantity
    missing: Quantity


@dataclass(frozen=True)
class Result(OffsetResult):
    """The offset test of counted and of predicted vectors, with the numbers of groups of families."""

    counting: ByGroup
    skip_gram: ByGroup
    counts: Counts


experiment = Experiment(
    __name__,
    title="Offsets between words of source code",
    config=Config(),
    quick=Config(every=4, count_dimension=32, dimension=16, epochs=1, skip_gram_seeds=2),
    inputs=(CUT,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    corpus = standard_library(config.every)
    progress.advance("word vectors", 0.1)
    ppmi = count_vectors(corpus, config.least, config.window, config.count_dimension)
    progress.advance("word vectors", 0.2)
    recipe = SkipGram(
        config.dimension, config.window, config.negatives, config.epochs, config.learning_rate, config.thinning
    )
    seeds = tuple(config.seed + k for k in range(config.skip_gram_seeds))
    predicted = train_skip_gram(corpus, config.least, recipe, seeds)
    progress.advance("word vectors", 0.9)
    embeddings = {"counting": [ppmi], "skip-gram": predicted}
    tested = offset_test(RELATIONS, embeddings, "the source of Python's standard library", corpus.digest, config.seed)
    counting, skip_gram = (
        ByGroup(tested.overall[e], tested.scores_of(e, OPPOSITES), tested.scores_of(e, FORMS)) for e in range(2)
    )
    return Result(
        **vars(tested),
        counting=counting,
        skip_gram=skip_gram,
        counts=Counts(
            files=counted(corpus.files),
            tokens=counted(len(corpus.tokens)),
            words=counted(len(ppmi.words)),
            asked=counted(sum(map(len, RELATIONS.values()))),
            seeds=counted(config.skip_gram_seeds),
            pairs=counted(len(tested.pairs)),
            families=counted(len(tested.families)),
            missing=counted(len(tested.missing)),
        ),
    )


@experiment.figure(
    "code-offset-families",
    title="The offset test on source code, family by family",
    caption="Over all families the offset answers {counting.overall.offset:%} of questions by counting and "
    "{skip_gram.overall.offset:%} by skip-gram; the word nearest to c, which knows nothing of the relation, answers "
    "{counting.overall.neighbour:% value} and {skip_gram.overall.neighbour:% value}. Drawn is the share of questions "
    "a : b = c : ? answered rightly when a, b and c may not be the answer.",
    alt="Two panels of dots with intervals, one row per family of word pairs, four methods each: the offset, the "
    "nearest neighbour of c, a random offset, and an offset with shuffled partners.",
    interval="95 % percentile bootstrap over the pairs of a family",
)
def draw_families(result: Result) -> Figure:
    return families_figure(result)


@experiment.figure(
    "code-offset-answers",
    title="What the nearest word to b − a + c is",
    caption="With nothing barred, the word nearest to b − a + c is a word of the question in "
    "{counting.overall.echoed:% value} of questions (counting) and {skip_gram.overall.echoed:% value} (skip-gram), "
    "and the fourth word in {counting.overall.included:% value} and {skip_gram.overall.included:% value}.",
    alt="Two stacked bars, one per kind of vector, divided into the fourth word, a word of the question, and another.",
)
def draw_answers(result: Result) -> Figure:
    return answers_figure(result)


@experiment.figure(
    "code-offset-parallel",
    title="How parallel offsets of one relation are",
    caption="The mean cosine between offsets of one family is {counting.overall.parallel} (counting) and "
    "{skip_gram.overall.parallel} (skip-gram), where exact parallelograms have one; with partners exchanged within "
    "the family it is {counting.overall.parallel_shuffled:value} and {skip_gram.overall.parallel_shuffled:value}. "
    "Each dot is a pair: the mean cosine of its offset with the other offsets of its family.",
    alt="Two panels of dots per family. True partners lie at somewhat higher cosines than exchanged partners, far "
    "from one.",
)
def draw_parallel(result: Result) -> Figure:
    return parallel_figure(result)


@experiment.claim(
    "code-offset-beats-baselines",
    title="On source code, the offset finds the fourth word more often than three baselines",
    statements=("B3",),
    test=f"{analogy_claims.BEATS_TEST}. Statistic: the lesser difference of the two kinds of vectors.",
    criterion=analogy_claims.BEATS,
    figures=("code-offset-families",),
    published=Verdict.MIXED,
)
def gains_of_the_offset(result: Result) -> Evidence:
    return analogy_claims.gains(result)


@experiment.claim(
    "code-offset-nearest",
    title="On source code, the fourth word is the nearest to b − a + c",
    statements=("B3",),
    test=f"{analogy_claims.NEAREST_TEST}, of the better kind of vectors.",
    criterion=analogy_claims.NEAREST,
    figures=("code-offset-answers",),
    published=Verdict.REFUTED,
)
def share_nearest(result: Result) -> Quantity:
    return nearest(result)


@experiment.claim(
    "code-offset-parallel",
    title="On source code, offsets of one relation share a direction",
    statements=("B1", "B3"),
    test=f"{analogy_claims.PARALLEL_TEST} Statistic: the lesser difference of the two kinds of vectors.",
    criterion=analogy_claims.PARALLEL,
    figures=("code-offset-parallel",),
    published=Verdict.MIXED,
)
def parallel_offsets(result: Result) -> Evidence:
    return analogy_claims.parallels(result)
