"""What the offset test finds in one or several sets of word vectors, and the numbers that a page quotes."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.quantities import Quantity, bootstrap_each, exact
from experiments.linear_representation.shared.analogies import (
    METHODS,
    Relations,
    ask,
    families_of,
    known_pairs,
    parallelism,
    shuffled_parallelism,
)
from experiments.linear_representation.shared.word_vectors import Vectors

Array = NDArray[np.float64]

OFFSET, BASELINES = 0, slice(1, None)


@dataclass(frozen=True)
class Scores:
    """What the offset test finds over some pairs, for one kind of vectors.

    `offset`, `neighbour`, `random` and `shuffled` are shares of questions answered rightly by the `METHODS`, the
    question's words barred; `gain` is the offset's share less that of the best baseline. `included` is the offset's
    share with nothing barred, `echoed` the share of questions whose answer is then one of their own words. `parallel`
    is the mean cosine of a pair's offset with the others of its family, `parallel_shuffled` the same with partners
    exchanged within the family, `parallel_gain` their difference.
    """

    offset: Quantity
    neighbour: Quantity
    random: Quantity
    shuffled: Quantity
    gain: Quantity
    included: Quantity
    echoed: Quantity
    parallel: Quantity
    parallel_shuffled: Quantity
    parallel_gain: Quantity


@dataclass(frozen=True)
class OffsetResult:
    """The offset test of several kinds of vectors, `embeddings`, averaged over their seeds.

    `excluded`, `included`, `echoed`, `rank` are those of `Answers`; `parallel` and `parallel_shuffled` are mean cosines
    between a pair's offset and the others of its family, with true and with exchanged partners. `overall` is over
    whole families, `by_family` over the pairs of each. `missing` are pairs with a word that has no vector. `source`
    says what the vectors were made from and `digest` is its SHA-256.
    """

    embeddings: tuple[str, ...]
    families: tuple[str, ...]
    family: NDArray[np.int64]  # (pair,), numbers into `families`
    pairs: tuple[str, ...]
    missing: tuple[str, ...]
    excluded: Array  # (embedding, method, pair)
    included: Array  # (embedding, method, pair)
    echoed: Array  # (embedding, method, pair)
    rank: Array  # (embedding, method, pair)
    parallel: Array  # (embedding, pair)
    parallel_shuffled: Array  # (embedding, pair)
    overall: tuple[Scores, ...]  # (embedding,)
    by_family: tuple[tuple[Scores, ...], ...]  # (embedding, family)
    source: str
    digest: str

    def scores_of(self, embedding: int, families: tuple[str, ...]) -> Scores:
        """Return the scores of one embedding over the named families alone, with whole families as the unit."""
        inside = np.isin(self.family, [f for f, name in enumerate(self.families) if name in families])
        e = embedding
        values = _values(
            self.excluded[e], self.included[e], self.echoed[e], self.parallel[e], self.parallel_shuffled[e]
        )
        return _scores(values[:, inside], np.unique(self.family[inside], return_inverse=True)[1], "families")


def offset_test(
    relations: Relations, embeddings: dict[str, list[Vectors]], source: str, digest: str, seed: int
) -> OffsetResult:
    """Return the offset test of every embedding (name to its seeds, all with the same words)."""
    known = known_pairs(relations, next(iter(embeddings.values()))[0])
    answered = {
        name: [ask(known, vectors, seed + k) for k, vectors in enumerate(trained)]
        for name, trained in embeddings.items()
    }

    def averaged(field: str) -> Array:
        return np.stack([np.mean([getattr(each, field) for each in seeds], 0) for seeds in answered.values()])

    def per_embedding(measure: Any) -> Array:
        return np.stack([np.mean([measure(known, v) for v in trained], 0) for trained in embeddings.values()])

    there = {pair for pairs in known.values() for pair in pairs}
    family = families_of(known)
    measured = {name: averaged(name) for name in ("excluded", "included", "echoed", "rank")}
    measured |= {"parallel": per_embedding(parallelism), "parallel_shuffled": per_embedding(shuffled_parallelism)}
    names = ("excluded", "included", "echoed", "parallel", "parallel_shuffled")
    values = [_values(*rows) for rows in zip(*(measured[name] for name in names), strict=True)]
    return OffsetResult(
        embeddings=tuple(embeddings),
        families=tuple(known),
        family=family,
        pairs=tuple(f"{a} : {b}" for pairs in known.values() for a, b in pairs),
        missing=tuple(f"{a} : {b}" for pairs in relations.values() for a, b in pairs if (a, b) not in there),
        source=source,
        digest=digest,
        overall=tuple(_scores(each, family, "families") for each in values),
        by_family=tuple(
            tuple(_scores(each[:, family == f], np.arange((family == f).sum()), "pairs") for f in range(len(known)))
            for each in values
        ),
        **measured,
    )


def _values(excluded: Array, included: Array, echoed: Array, parallel: Array, shuffled: Array) -> Array:
    """Return what the scores average over pairs, (4 + methods, pair), from one embedding's (method, pair), (pair,).

    First the shares right by each method, own words barred; then the offset's share with nothing barred, how often it
    answers with a word of the question, and the mean cosines with true and with exchanged partners.
    """
    return np.stack([*excluded, included[OFFSET], echoed[OFFSET], parallel, shuffled])


def _scores(values: Array, unit: NDArray[np.int64], of: str) -> Scores:
    """Return the scores from `values` (see `_values`), with a bootstrap over the units that pairs belong to (pair,).

    Pairs of one family answer each other's questions and stand or fall together, so over several families these are
    what is independent. The best baseline is chosen anew in each resample.
    """
    count = int(unit.max()) + 1
    sums = np.stack([np.bincount(unit, row, minlength=count) for row in values])
    sizes = np.bincount(unit, minlength=count)

    def measured(chosen: NDArray[np.int64]) -> Array:
        means = sums[:, chosen].sum(1) / sizes[chosen].sum()
        right, (included, echoed, parallel, shuffled) = means[: len(METHODS)], means[len(METHODS) :]
        gain = right[OFFSET] - right[BASELINES].max()
        return np.array([*right, gain, included, echoed, parallel, shuffled, parallel - shuffled])

    return Scores(
        **dict(zip((each.name for each in fields(Scores)), bootstrap_each(measured, count, of=of), strict=True))
    )


def counted(number: int) -> Quantity:
    """Return a count as a quantity."""
    return exact(number, method="a count")


def nearest(result: OffsetResult) -> Quantity:
    """Return the share of questions right with nothing barred, of the better kind of vectors."""
    return max((each.included for each in result.overall), key=lambda share: share.value)
