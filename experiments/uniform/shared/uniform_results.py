"""What is measured about many equally important features: plateaus, dimensionalities, components and bricks.

Sources: Elhage et al. 2022, "The geometry of superposition". Intervals resample whole seeds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import keyed, undefined
from experiments.core.metrics import (
    dimensionality,
    dimensions_per_feature,
    random_directions,
    represented,
)
from experiments.core.quantities import Quantity, exact, from_resamples, mean, share
from experiments.uniform.shared.components import Components, all_components, share_in_small, tile_shares
from experiments.uniform.shared.peaks import between, contrast, smooth_density
from experiments.uniform.shared.plateau import flatness, passes
from experiments.uniform.shared.tegum import BRICKS, gains, takes_over
from experiments.uniform.shared.uniform_sweep import UniformConfig, grid, saved_per_dimension, train_models

Array = NDArray[np.float64]

LEAST_NORM = 0.1**0.5
"""A feature counts when ||W_i||^2 > 0.1, as in the reference for dimensionalities: short columns have one too."""

EDGES = (0.2, 0.1, 0.05)
"""Two features share an edge when |cos| exceeds this; verdicts use the first, as elsewhere in this report."""

LARGE_BRICK, LARGE_BRICKS_BELOW = 7, 0.3
"""Bricks of more features cost the most, and gain little unless features are rarer than this."""

SMALL = 8
"""A component of up to so many features is a small island: a square antiprism is one."""

PEAKS = {"3/4": 3 / 4, "2/3": 2 / 3, "1/2": 1 / 2, "2/5": 2 / 5, "3/8": 3 / 8}
SPLIT = {"3/5": 3 / 5, "3/7": 3 / 7}
"""Dimensionalities of bipyramids if their features shared equally; as tegum products they have none at these."""

HALF_WIDTH = 0.01
BANDWIDTH = 0.004
KINDS = {"alone": (1, 1), "digon": (2, 1), "triangle": (3, 2), "pentagon": (5, 2), "antiprism": (8, 3)}
TABULATED = ((2, 1), (3, 2), (5, 2), (4, 3), (8, 3))
"""Features and rank of the components that the reference expects."""


def fraction_keys(fractions: Iterable[str]) -> list[str]:
    """Return fractions as parts of a quantity's name: "3_4" for "3/4"."""
    return [name.replace("/", "_") for name in fractions]


@dataclass(frozen=True)
class UniformNumbers:
    """What pages quote. Widths are in decades of 1/p; `to_digons` and `from_digons` are 1/p at which pairs begin, end.

    `onset_...` are shares in small islands while superposition sets in, at three thresholds for an edge.
    """

    models: Quantity
    plateau_one: Quantity
    plateau_half: Quantity
    flatness: Quantity
    to_digons: Quantity
    from_digons: Quantity
    brick_plateau_one: Quantity
    brick_to_digons: Quantity
    brick_from_digons: Quantity
    switch_factor: Quantity
    onset_wide: Quantity
    onset_middle: Quantity
    onset_fine: Quantity
    onset_null: Quantity
    rare: Quantity
    onset_models: Quantity
    saturated: Quantity
    least_saturated: Quantity
    doubled_common: Quantity
    doubled_rare: Quantity


@dataclass(frozen=True)
class UniformResult:
    """Models in order of falling density. "null" are random directions with the same norms.

    "kept": columns that are not represented were set to 0 first.
    """

    p: Array  # (model,)
    seed_of: NDArray[np.int64]  # (model,)
    d_star: Array  # (model,): hidden / ||W||_F^2
    saturation: Array  # (model,): sum of dimensionalities over hidden
    gain: Array  # (model,): loss saved per dimension over that of a dedicated one
    small: Array  # (edge, model): share of represented features in components of up to 8
    null_small: Array  # (edge, model)
    tile_x: Array  # (bin,): 1/p
    tiles: Array  # (bin, kind): share of represented features in each kind of component
    place: Array  # (place,): dimensionalities at which the smooth densities are given
    curve: Array  # (place,)
    kept_curve: Array  # (place,)
    null_curve: Array  # (place,)
    brick_name: NDArray[np.str_]  # (brick,)
    brick_p: Array  # (point,)
    census_size: NDArray[np.int64]  # (kind,): kinds of components that were found more than once
    census_rank: NDArray[np.int64]  # (kind,)
    census_count: NDArray[np.int64]  # (kind,)
    census_mean: Array  # (kind,): mean dimensionality
    picture_p: Array  # (picture,)
    pictures: Array  # (picture, hidden, feature)
    numbers: UniformNumbers
    peaks: dict[str, Quantity] = keyed(lambda config: fraction_keys(PEAKS))
    kept_peaks: dict[str, Quantity] = keyed(lambda config: fraction_keys(PEAKS))
    null_peaks: dict[str, Quantity] = keyed(lambda config: fraction_keys(PEAKS))
    split: dict[str, Quantity] = keyed(lambda config: fraction_keys(SPLIT))
    found: dict[str, Quantity] = keyed(lambda config: [f"{size}_in_{rank}" for size, rank in TABULATED])
    dimension: Array = undefined("a feature that is not represented")  # (model, feature): dimensionality
    null_dimension: Array = undefined("a feature that is not represented")  # (model, feature)
    brick_gain: Array = undefined("a large brick, not tried where features are common")  # (brick, point)
    brick_d_star: Array = undefined("a large brick, not tried where features are common")  # (brick, point)


def measured(config: UniformConfig, device: str) -> UniformResult:
    """Train all models and measure them; see `UniformResult`."""
    p, seed_of = grid(config)
    weights = train_models(config, device, p)
    W = weights.W.astype(np.float64)
    null = random_directions(W, np.random.default_rng(config.seed))
    d_star, small = dimensions_per_feature(W), _small(W)
    kept = _by_seed(_dimensionalities(np.where(represented(W, LEAST_NORM)[:, None], W, 0.0)), seed_of)
    dimension, null_dimension = _dimensionalities(W), _dimensionalities(null)
    brick_p, brick_gain, brick_d_star = _brick_curves(config)
    census = all_components(W, EDGES[0], LEAST_NORM)
    kinds = _census(census)
    tile_x, tiles = _tiles(config, p, census)
    place = np.linspace(0.2, 1.02, 821)
    by_seed, null_by_seed = _by_seed(dimension, seed_of), _by_seed(null_dimension, seed_of)
    switches = _switches()
    shown = [int(np.abs(np.log(p * inverse)).argmin()) for inverse in config.pictured]
    return UniformResult(
        p=p,
        seed_of=seed_of,
        d_star=d_star,
        saturation=dimensionality(W).sum(-1) / config.hidden,
        gain=saved_per_dimension(config, weights, p),
        dimension=dimension,
        null_dimension=null_dimension,
        small=small,
        null_small=_small(null),
        tile_x=tile_x,
        tiles=tiles,
        place=place,
        curve=np.mean([smooth_density(values, place, BANDWIDTH) for values in by_seed], axis=0),
        kept_curve=np.mean([smooth_density(values, place, BANDWIDTH) for values in kept], axis=0),
        null_curve=np.mean([smooth_density(values, place, BANDWIDTH) for values in null_by_seed], axis=0),
        brick_name=np.array([brick.name for brick in BRICKS if brick.name in config.bricks]),
        brick_p=brick_p,
        brick_gain=brick_gain,
        brick_d_star=brick_d_star,
        picture_p=p[shown],
        pictures=W[shown],
        peaks=_peaks(config, by_seed),
        kept_peaks=_peaks(config, kept),
        null_peaks=_peaks(config, null_by_seed),
        split=_split(config, by_seed),
        found={f"{size}_in_{rank}": _count(census, size, rank) for size, rank in TABULATED},
        numbers=UniformNumbers(
            **plateaus(config, p, seed_of, d_star, switches),
            **_bricks(switches, brick_p, brick_gain, brick_d_star),
            **_islands(config, p, seed_of, d_star, small, _small(null)),
            **_saturation(d_star, dimensionality(W).sum(-1) / config.hidden),
            **_checks(config, device, p, d_star),
        ),
        **kinds,
    )


def _dimensionalities(W: Array) -> Array:
    return np.where(represented(W, LEAST_NORM), dimensionality(W), np.nan)


def _small(W: Array) -> Array:
    """Return the share of represented features in small islands (edge, model)."""
    return np.array([share_in_small(all_components(W, edge, LEAST_NORM), len(W), SMALL) for edge in EDGES])


def _by_seed(dimension: Array, seed_of: NDArray[np.int64]) -> list[Array]:
    """Return all dimensionalities of represented features of each seed."""
    return [values[np.isfinite(values)] for values in (dimension[seed_of == seed] for seed in np.unique(seed_of))]


def _peaks(config: UniformConfig, samples: list[Array]) -> dict[str, Quantity]:
    """Return the density around each expected fraction over that in the gaps on both sides."""
    generator = np.random.default_rng(config.seed)
    gaps = between([1 / 3, *PEAKS.values(), 1.0])[::-1]  # from the one above 3/4 down
    return {
        name.replace("/", "_"): contrast(
            samples, (value - HALF_WIDTH, value + HALF_WIDTH), gaps[k : k + 2], config.resamples, generator
        )
        for k, (name, value) in enumerate(PEAKS.items())
    }


def _split(config: UniformConfig, samples: list[Array]) -> dict[str, Quantity]:
    """Return the density at the fractions of undivided bipyramids over that just beside."""
    generator = np.random.default_rng(config.seed)
    return {
        name.replace("/", "_"): contrast(
            samples,
            (value - HALF_WIDTH, value + HALF_WIDTH),
            [(value - 0.022, value - 0.012), (value + 0.012, value + 0.022)],
            config.resamples,
            generator,
        )
        for name, value in SPLIT.items()
    }


def _count(found: Components, size: int, rank: int) -> Quantity:
    hits = (found.size == size) & (found.rank == rank)
    return exact(int(hits.sum()), method="count over all models")


def _census(found: Components) -> dict[str, NDArray[Any]]:
    """Return size, rank, count and mean dimensionality of the kinds of components of 2 to 8 found at least twice."""
    pairs, which, counts = np.unique(
        np.stack([found.size, found.rank], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    means = np.bincount(which.ravel(), found.dimensionality) / counts
    keep = (counts >= 2) & (pairs[:, 0] >= 2) & (pairs[:, 0] <= SMALL)
    keep |= np.array([tuple(pair) in TABULATED for pair in pairs.tolist()])
    return {
        "census_size": pairs[keep, 0],
        "census_rank": pairs[keep, 1],
        "census_count": counts[keep],
        "census_mean": means[keep],
    }


def _tiles(config: UniformConfig, p: Array, found: Components) -> tuple[Array, Array]:
    """Return bins of 1/p with the share of represented features in each kind of component."""
    groups = [np.isin(np.arange(p.size), part) for part in np.array_split(np.arange(p.size), 2 * config.densities)]
    centre = np.array([np.exp(-np.log(p[group]).mean()) for group in groups])
    return centre, tile_shares(found, groups, KINDS, SMALL)


def _resampled(config: UniformConfig, seed_of: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return numbers of models, one array for each bootstrap sample of seeds."""
    generator = np.random.default_rng(config.seed)
    members = [np.flatnonzero(seed_of == seed) for seed in range(config.seeds)]
    drawn = generator.integers(0, config.seeds, (config.resamples, config.seeds))
    return [np.concatenate([members[seed] for seed in seeds]) for seeds in drawn]


def plateaus(
    config: UniformConfig, p: Array, seed_of: NDArray[np.int64], d_star: Array, exact_switches: tuple[float, float]
) -> dict[str, Quantity]:
    """Return widths (decades of 1/p) and flatness of the plateaus of D*, and where it passes to and from pairs.

    `switch_factor` is the larger of two ratios: of these two places to the `exact_switches` of the bricks, or the
    reverse. It is resampled as a whole.
    """
    x = -np.log10(p)

    def switch_factor(begin: float, end: float) -> float:
        return float(max(np.exp(abs(np.log(begin / exact_switches[0]))), np.exp(abs(np.log(end / exact_switches[1])))))

    def measure(chosen: NDArray[np.int64]) -> tuple[float, ...]:
        at, value = x[chosen], d_star[chosen]
        ends = [passes(at, value, level) for level in (0.97, 0.54, 0.46, 0.75, 0.45)]
        once = np.unique(chosen)
        # One model of each seed that was drawn: a slope then spans the same densities in every resample.
        window = max(np.unique(seed_of[once]).size, 2)
        flat = flatness(x[once], d_star[once], (ends[1], ends[2]), (ends[0], float(x.max())), window)
        begin, end = 10 ** ends[3], 10 ** ends[4]
        return (ends[0], ends[2] - ends[1], flat, begin, end, switch_factor(begin, end))

    centre = measure(np.arange(p.size))
    sampled = np.array([measure(chosen) for chosen in _resampled(config, seed_of)])
    names = {
        "plateau_one": "decades",
        "plateau_half": "decades",
        "flatness": "",
        "to_digons": "",
        "from_digons": "",
        "switch_factor": "",
    }
    return {"models": exact(p.size, method="count")} | {
        name: from_resamples(centre[k], sampled[:, k], config.seeds, unit=unit)
        for k, (name, unit) in enumerate(names.items())
    }


def _switches() -> tuple[float, float]:
    """Return the rarities 1/p at which digons become the best brick and stop being it."""
    known = {brick.name: brick for brick in BRICKS}
    begin = 1 / takes_over(known["triangle"], known["digon"], 0.8, 0.4)
    return begin, 1 / takes_over(known["digon"], known["pentagon"], 0.35, 0.15)


def _bricks(switches: tuple[float, float], p: Array, gain: Array, d_star: Array) -> dict[str, Quantity]:
    """Return where the best brick says that D* leaves 1 (decades of 1/p) and that pairs begin and end (1/p)."""
    best = d_star[np.nanargmax(gain, axis=0), np.arange(p.size)]
    method = "exact losses of the bricks"
    return {
        "brick_plateau_one": exact(_level(-np.log10(p), best, 0.97), "decades", method + ", interpolated"),
        "brick_to_digons": exact(switches[0], method=method),
        "brick_from_digons": exact(switches[1], method=method),
    }


def _level(x: Array, y: Array, level: float) -> float:
    """Return where a falling curve first passes `level`, between two of its points."""
    after = int(np.flatnonzero(y <= level)[0])
    if after == 0:
        return float(x[0])
    return float(np.interp(-level, -y[after - 1 : after + 1], x[after - 1 : after + 1]))


def _brick_curves(config: UniformConfig) -> tuple[Array, Array, Array]:
    """Return densities with gain and D* of every brick (brick, point); NaN where a large brick was not tried."""
    p = 1 / np.geomspace(1, min(config.rarest, 12.0), config.brick_points)
    gain, d_star = np.full((2, len(config.bricks), p.size), np.nan)
    for k, brick in enumerate(brick for brick in BRICKS if brick.name in config.bricks):
        tried = p < (LARGE_BRICKS_BELOW if brick.features > LARGE_BRICK else np.inf)
        found = gains(brick, p[tried])
        gain[k, tried], d_star[k, tried] = found.gain, 1 / found.mass
    return p, gain, d_star


def _islands(
    config: UniformConfig, p: Array, seed_of: NDArray[np.int64], d_star: Array, small: Array, null_small: Array
) -> dict[str, Quantity]:
    """Return shares in small islands while superposition sets in and when features are rare, means over seeds."""
    onset, rare = (d_star < 0.9) & (d_star > 0.55), 1 / p > 7

    def over_seeds(values: Array, chosen: NDArray[np.bool_]) -> Quantity:
        seeds = [values[chosen & (seed_of == seed)] for seed in range(config.seeds)]
        return mean([one.mean() for one in seeds if one.size] or [0.0], within=(0, 1))

    found = {
        f"onset_{edge}": over_seeds(row, onset) for edge, row in zip(("wide", "middle", "fine"), small, strict=True)
    }
    return found | {
        "onset_null": over_seeds(null_small[0], onset),
        "rare": over_seeds(small[0], rare),
        "onset_models": exact(int(onset.sum()), method="count"),
    }


def _saturation(d_star: Array, saturation: Array) -> dict[str, Quantity]:
    """Return how often, and at the least how far, dimensionalities of models in superposition add up to all of them."""
    chosen = saturation[d_star < 0.9]
    return {
        "saturated": share((chosen >= 0.97) & (chosen <= 1 + 1e-6), "of models"),
        "least_saturated": exact(chosen.min(), method="smallest over models with D* below 0.9"),
    }


def _checks(config: UniformConfig, device: str, p: Array, d_star: Array) -> dict[str, Quantity]:
    """Return by how much twice the steps change D*, at densities of a few models near each checked one."""
    found = {}
    for name, inverse in zip(("common", "rare"), config.checked, strict=True):
        near = np.sort(np.argsort(np.abs(np.log(p * inverse)), kind="stable")[: config.checked_seeds])
        longer = dimensions_per_feature(train_models(config, device, p[near], 2).W)
        found[f"doubled_{name}"] = mean(longer - d_star[near])
    return found
