"""What the offset test finds in one or several sets of word vectors, and the numbers that a page quotes."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity, exact
from experiments.linear_representation.shared.analogies import (
    METHODS,
    Relations,
    ask,
    families_of,
    known_pairs,
    mean_over_families,
    mean_over_pairs,
    parallelism,
    shuffled_parallelism,
)
from experiments.linear_representation.shared.word_vectors import Vectors

Array = NDArray[np.float64]

OFFSET, BASELINES = 0, slice(1, None)


@dataclass(frozen=True)
class OffsetResult:
    """Axes: embedding, method (`METHODS`), pair; each pair belongs to `family` (pair,), a number into `families`.

    `excluded`, `included`, `echoed`, `rank` (embedding, method, pair) are those of `Answers`, averaged over seeds;
    `parallel` and `parallel_shuffled` (embedding, pair) are mean cosines between a pair's offset and the others of
    its family, with true and with exchanged partners. `missing` are pairs with a word that has no vector.
    `source` says what the vectors were made from and `digest` is its SHA-256.
    """

    embeddings: tuple[str, ...]
    families: tuple[str, ...]
    family: NDArray[np.int64]
    pairs: tuple[str, ...]
    missing: tuple[str, ...]
    excluded: Array
    included: Array
    echoed: Array
    rank: Array
    parallel: Array
    parallel_shuffled: Array
    source: str
    digest: str
    numbers: dict[str, Quantity]


def offset_test(
    relations: Relations,
    embeddings: dict[str, list[Vectors]],
    source: str,
    digest: str,
    counts: dict[str, int],
    seed: int,
    groups: dict[str, tuple[str, ...]] | None = None,
) -> OffsetResult:
    """Return the offset test of every embedding (name to its seeds, all with the same words).

    `counts` are quoted as they are, and `groups` of families get numbers of their own, `<embedding>_<group>_<what>`.
    """
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
    absent = [f"{a} : {b}" for pairs in relations.values() for a, b in pairs if (a, b) not in there]
    measured: dict[str, Any] = {
        "excluded": averaged("excluded"),
        "included": averaged("included"),
        "echoed": averaged("echoed"),
        "rank": averaged("rank"),
        "parallel": per_embedding(parallelism),
        "parallel_shuffled": per_embedding(shuffled_parallelism),
    }
    family = families_of(known)
    numbers = _numbers(tuple(embeddings), tuple(known), family, measured, groups or {})
    numbers |= {name: exact(count, method="a count") for name, count in counts.items()}
    numbers |= {
        "pairs": exact(len(family), method="a count"),
        "families": exact(len(known), method="a count"),
        "missing": exact(len(absent), method="a count"),
    }
    return OffsetResult(
        embeddings=tuple(embeddings),
        families=tuple(known),
        family=family,
        pairs=tuple(f"{a} : {b}" for pairs in known.values() for a, b in pairs),
        missing=tuple(absent),
        source=source,
        digest=digest,
        numbers=numbers,
        **measured,
    )


def slug(name: str) -> str:
    """Return a name as it appears in the names of quantities ("skip-gram" as skip_gram)."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def best_baseline(result: OffsetResult, embedding: int) -> int:
    """Return the number of the baseline that answers most questions, own words barred."""
    return 1 + int(result.excluded[embedding, BASELINES].mean(-1).argmax())


def _numbers(
    embeddings: tuple[str, ...],
    families: tuple[str, ...],
    family: NDArray[np.int64],
    found: dict[str, Any],
    groups: dict[str, tuple[str, ...]],
) -> dict[str, Quantity]:
    """Return the quoted numbers: `<embedding>_<what>` over families, `<embedding>_<family>_<what>` over its pairs."""
    numbers: dict[str, Quantity] = {}
    for e, name in enumerate(map(slug, embeddings)):
        excluded, included, echoed = (found[kind][e] for kind in ("excluded", "included", "echoed"))
        best = 1 + int(excluded[BASELINES].mean(-1).argmax())
        values = {method: excluded[m] for m, method in enumerate(METHODS)}
        values |= {
            "included": included[OFFSET],
            "echoed": echoed[OFFSET],
            "gain": excluded[OFFSET] - excluded[best],
            "parallel": found["parallel"][e],
            "parallel_shuffled": found["parallel_shuffled"][e],
            "parallel_gain": found["parallel"][e] - found["parallel_shuffled"][e],
        }
        numbers |= {f"{name}_{what}": mean_over_families(each, family) for what, each in values.items()}
        for group, members in groups.items():
            inside = np.isin(family, [f for f, which in enumerate(families) if which in members])
            within = np.unique(family[inside], return_inverse=True)[1]
            numbers |= {f"{name}_{group}_{what}": mean_over_families(v[inside], within) for what, v in values.items()}
        numbers |= {
            f"{name}_{slug(which)}_{what}": mean_over_pairs(values[what][family == f])
            for f, which in enumerate(families)
            for what in ("offset", "gain", "parallel", "parallel_shuffled", "parallel_gain", *METHODS[BASELINES])
        }
    return numbers


def gains(result: OffsetResult) -> list[Quantity]:
    """Return, per embedding, the share of questions right by the offset less that of its best baseline."""
    return [result.numbers[f"{slug(name)}_gain"] for name in result.embeddings]


def least(quantities: list[Quantity]) -> Quantity:
    """Return the quantity with the lowest value."""
    return min(quantities, key=lambda each: each.value)


def offset_beats_baselines(result: OffsetResult) -> Verdict:
    """Supported if the interval of every embedding's gain is above 0; refuted if all upper ends are below 0.02."""
    found = [(gain.low or 0.0, gain.high or 0.0) for gain in gains(result)]
    if all(low > 0 for low, _ in found):
        return Verdict.SUPPORTED
    return Verdict.REFUTED if all(high < 0.02 for _, high in found) else Verdict.MIXED


def offset_is_nearest(result: OffsetResult) -> tuple[Quantity, Verdict]:
    """Judge the best embedding with no word barred: supported if low > 0.5, refuted if high < 0.25, mixed between."""
    found = max((result.numbers[f"{slug(name)}_included"] for name in result.embeddings), key=lambda each: each.value)
    if (found.low or 0.0) > 0.5:
        return found, Verdict.SUPPORTED
    return found, Verdict.REFUTED if (found.high or 0.0) < 0.25 else Verdict.MIXED


def offsets_are_parallel(result: OffsetResult) -> tuple[Quantity, Verdict]:
    """Judge the embedding with the least gain of true over exchanged partners.

    Supported if every gain's interval is above 0 and every mean cosine at least 1/2; mixed if only the gains are;
    refuted if an interval of a gain reaches 0.
    """
    names = [slug(name) for name in result.embeddings]
    extra = [result.numbers[f"{name}_parallel_gain"] for name in names]
    if any((each.low or 0.0) <= 0 for each in extra):
        return least(extra), Verdict.REFUTED
    strong = all(result.numbers[f"{name}_parallel"].value >= 0.5 for name in names)
    return least(extra), Verdict.SUPPORTED if strong else Verdict.MIXED
