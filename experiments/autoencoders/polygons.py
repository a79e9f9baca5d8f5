"""Does an autoencoder see the corners of a polygon? Five features in two dimensions, small enough to look at. I1.

The models are those of the first run: at low density five features form a pentagon, at high density those that are kept
form antipodal pairs. In two dimensions directions that were drawn at random come close to everything, so a feature
counts as found only within five degrees.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.own_models import Worlds, own_worlds
from experiments.core import plotting, progress
from experiments.core.autoencoders.evaluation import evaluate_autoencoders
from experiments.core.autoencoders.inference import dictionary, encode
from experiments.core.autoencoders.metrics import cosines
from experiments.core.autoencoders.sources import Batch, stream
from experiments.core.autoencoders.specification import VARIANTS, Specification, grid
from experiments.core.autoencoders.train import Trained, train_autoencoders
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    Criterion,
    Every,
    Evidence,
    NoneOf,
    Verdict,
    above,
    refuted_if,
    supported_if,
)
from experiments.core.quantities import Quantity, mean

Array = NDArray[np.float64]

DEGREES = 5.0
"""A feature is found when a latent points within this angle of it."""

ANTIPODAL = -0.98
"""Cosine below which two features count as an antipodal pair: within about eleven degrees."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16  # models for each density
    features: int = 5
    densities: tuple[float, ...] = (0.03, 0.1, 0.3)
    spare: int = 2  # the wider autoencoders have this many latents for each feature
    steps: int = 2000
    batch: int = 256
    learning_rate: float = 1e-2
    model_steps: int = 3000
    samples: int = 1 << 14
    drawn: int = 300  # activations shown in the picture


def number_names(config: Config) -> list[str]:
    """Return names such as "topk_wide_dense" (share found by variant, width and density), and the fixed ones."""
    found = [f"{v}_{width}_{p}" for v in VARIANTS for width in ("narrow", "wide") for p in ("sparse", "dense")]
    fixed = ["chance_narrow", "chance_wide", "chance_mcc_narrow", "topk_mcc", "topk_signed_mcc"]
    return [*found, *fixed, "recall_alone", "recall_both", "recall_both_most"]


@dataclass(frozen=True)
class Result:
    """Share of represented features `found`; `chance` by random rows.

    `mcc` and `signed_mcc` score the match of dictionaries. `recall` is of features in an antipodal pair at the highest
    density, antipode absent and present. `W`, `rows` and `activations` are what the picture shows; latents that never
    fire are 0.
    """

    densities: Array  # (density,)
    widths: tuple[int, ...]
    found: Array  # (density, width, variant, seed)
    chance: Array  # (density, width)
    mcc: Array  # (density, width, variant, seed)
    signed_mcc: Array  # (density, width, variant, seed)
    recall: Array  # (antipode, variant)
    W: Array  # (picture, 2, feature)
    rows: Array  # (picture, latent, 2)
    activations: Array  # (picture, sample, 2)
    found_wide: tuple[Quantity, ...]
    narrow_deficit: Quantity
    overstated: Quantity
    recall_loss: Quantity
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Autoencoders on polygons",
    config=Config(),
    quick=Config(seeds=2, densities=(0.03, 0.3), steps=150, batch=128, model_steps=600, samples=1 << 11, drawn=60),
    large=Config(seeds=64, steps=8000, batch=1024),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    widths = (config.features, config.spare * config.features)
    shape = (len(widths), len(VARIANTS), config.seeds)
    found, mcc, signed, chance, pictures = [], [], [], [], []
    for k, density in enumerate(config.densities):
        worlds, trained = _trained(config, density, k, widths, device)
        counted = list(worlds.counted)
        scores = evaluate_autoencoders(trained, worlds.sources, samples=config.samples, counted=counted)
        near = np.nan_to_num(scores.cosine, nan=-1.0) > np.cos(np.radians(DEGREES))
        found.append((near.sum(axis=1) / (~np.isnan(scores.cosine)).sum(axis=1)).reshape(shape))
        mcc.append(scores.mcc.reshape(shape))
        signed.append(scores.signed_mcc.reshape(shape))
        chance.append(scores.chance_mcc.reshape(shape).mean(axis=(1, 2)))
        pictures += [_picture(config, worlds, trained, width) for width in range(len(widths))]
        progress.advance("densities", (k + 1) / len(config.densities))
    recall, lost = _recall(config, worlds, trained, shape)
    return _result(
        config, widths, np.array(found), np.array(mcc), np.array(signed), np.array(chance), recall, lost, pictures
    )


def _trained(config: Config, density: float, k: int, widths: tuple[int, ...], device: str) -> tuple[Worlds, Trained]:
    """Train the models of one density, and autoencoders of all widths and variants on each: (width, variant, seed)."""
    worlds = own_worlds(
        config.features,
        2,
        density,
        config.seeds,
        steps=config.model_steps,
        batch=512,
        seed=config.seed + k,
        device=device,
    )
    models = [
        model
        for width in widths
        for variant in VARIANTS
        for model in grid((variant,), (width,), (1 if variant == "topk" else worlds.active,), range(config.seeds))
    ]
    specification = Specification(
        tuple(models), steps=config.steps, batch=config.batch, learning_rate=config.learning_rate, seed=config.seed
    )
    return worlds, train_autoencoders(worlds.sources, specification, device=device)


def _picture(config: Config, worlds: Worlds, trained: Trained, width: int) -> tuple[Array, Array, Array]:
    """Return `W`, the TopK decoder rows that fire, and some activations, of the first model."""
    source = worlds.sources[0]
    i = (width * len(VARIANTS) + VARIANTS.index("topk")) * config.seeds
    batch = source.draw(stream(config.seed, 7, 0), 20 * config.drawn)
    fires = (encode(trained.state, trained.models, i, batch.activations) > 0).sum(axis=0) > 0
    rows = np.zeros((config.spare * config.features, 2))
    rows[: len(fires)] = dictionary(trained.state, trained.models, i) * fires[:, None]
    shown = batch.activations[batch.activations.any(axis=1)][: config.drawn]
    h = np.zeros((config.drawn, 2))
    h[: len(shown)] = shown
    return worlds.weights.W[0].astype(np.float64), rows, h


def _recall(config: Config, worlds: Worlds, trained: Trained, shape: tuple[int, ...]) -> tuple[Array, Quantity]:
    """Return recall (2, variant) of features in antipodal pairs, antipode absent or present, and what is lost."""
    per_seed = []
    for s, source in enumerate(worlds.sources):
        batch = source.draw(stream(config.seed, 7, s), config.samples)
        pairs = _pairs(source.directions, worlds.counted[s])
        if len(pairs):
            per_seed.append([_recalled(trained, batch, source.directions, pairs, i) for i in _wide(shape, s)])
    if not per_seed:
        raise ValueError("no model has an antipodal pair at the highest density; raise it")
    recall = np.array(per_seed)  # (seed, variant, 2)
    return recall.mean(axis=0).T, mean((recall[..., 0] - recall[..., 1]).mean(axis=1))


def _wide(shape: tuple[int, ...], s: int) -> list[int]:
    """Return the instances of one seed at the larger width, by variant."""
    return [int(np.ravel_multi_index((1, variant, s), shape)) for variant in range(shape[1])]


def _pairs(directions: NDArray[np.float32], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return represented features with an antipode, and the antipode: (pair, 2)."""
    cosine = cosines(directions, directions)
    return np.argwhere((cosine < ANTIPODAL) & counted[:, None] & counted[None])


def _recalled(
    trained: Trained, batch: Batch, directions: NDArray[np.float32], pairs: NDArray[np.int64], i: int
) -> tuple[float, float]:
    """Return the recall of paired features whose antipode is absent, and of those whose antipode is present."""
    h, x = batch
    nearest = cosines(dictionary(trained.state, trained.models, i), directions).argmax(axis=0)
    fires = encode(trained.state, trained.models, i, h)[:, nearest[pairs[:, 0]]] > 0
    present, other = x[:, pairs[:, 0]] > 0, x[:, pairs[:, 1]] > 0
    alone, both = present & ~other, present & other
    return float((fires & alone).sum() / alone.sum()), float((fires & both).sum() / both.sum())


def _result(
    config: Config,
    widths: tuple[int, ...],
    found: Array,
    mcc: Array,
    signed: Array,
    chance_mcc: Array,
    recall: Array,
    recall_loss: Quantity,
    pictures: list[tuple[Array, Array, Array]],
) -> Result:
    W, rows, activations = (np.array(part) for part in zip(*pictures, strict=True))
    chance = np.array([1 - (1 - 2 * DEGREES / 360) ** width for width in widths])
    names = {"narrow": 0, "wide": 1}
    numbers = {
        f"{variant}_{name}_{position}": mean(found[k, place, v], within=(0, 1))
        for v, variant in enumerate(VARIANTS)
        for name, place in names.items()
        for position, k in (("sparse", 0), ("dense", -1))
    }
    numbers |= {f"chance_{name}": Quantity(chance[place], method="closed form") for name, place in names.items()}
    numbers |= {
        "chance_mcc_narrow": Quantity(float(chance_mcc[0, 0]), method="mean over random dictionaries"),
        "topk_mcc": mean(mcc[0, 0, VARIANTS.index("topk")]),
        "topk_signed_mcc": mean(signed[0, 0, VARIANTS.index("topk")]),
        "recall_alone": Quantity(float(recall[0].mean()), method="mean over variants, models and pairs"),
        "recall_both": Quantity(float(recall[1].mean()), method="mean over variants, models and pairs"),
        "recall_both_most": Quantity(float(recall[1].max()), method="largest over variants"),
    }
    return Result(
        densities=np.array(config.densities),
        widths=widths,
        found=found,
        chance=np.broadcast_to(chance, (len(config.densities), len(widths))).copy(),
        mcc=mcc,
        signed_mcc=signed,
        recall=recall,
        W=W,
        rows=rows,
        activations=activations,
        found_wide=tuple(mean(row, within=(0, 1)) for row in found[0, 1]),
        narrow_deficit=mean((found[0, 0] - found[0, 1]).mean(axis=0)),
        overstated=mean((mcc[0, 0] - signed[0, 0]).mean(axis=0)),
        recall_loss=recall_loss,
        numbers=numbers,
    )


@experiment.figure(
    "sae-polygon",
    title="What an autoencoder makes of a pentagon",
    caption="With as many latents as features, a TopK autoencoder misses corners of the pentagon; with twice as many "
    "it finds them all. One model of five features in two dimensions per panel, k = 1; arrows are the decoder rows of "
    "latents that fire. (a) Five latents: most of those that fire point between features. (b) Ten latents: "
    "every feature has one, and some point between. (c) At high density activations fill the plane, "
    "and so do the latents.",
    alt="Three square panels. Left: dots along five rays of a pentagon, four arrows crowded near one of them. "
    "Middle: arrows on all five rays and four between. Right: dots fill the plane around two crossing axes, "
    "with arrows on the axes and on the diagonals.",
)
def draw_polygon(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.3)
    last = 2 * (len(result.densities) - 1) + 1
    for ax, picture in zip(axes, (0, 1, last), strict=True):
        density, width = result.densities[picture // 2], result.widths[picture % 2]
        _plane(ax, result.W[picture], result.rows[picture], result.activations[picture])
        ax.set_title(f"p = {density:g}, {width} latents")
    axes[0].set_ylabel("second hidden dimension")
    for ax in axes:
        ax.set_xlabel("first hidden dimension")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


def _plane(ax: Axes, W: Array, rows: Array, activations: Array) -> None:
    limit = 1.5
    for k, column in enumerate(W.T):
        (ray,) = ax.plot(
            *zip((0, 0), 1.25 * column, strict=True), color=plotting.colour("muted"), linewidth=4, alpha=0.45
        )
        ray.set_label("features" if k == 0 else "")
    x, y = activations.T
    ax.scatter(x, y, s=5, color=plotting.series(0), alpha=0.5, linewidths=0, rasterized=True, label="activations")
    for row in rows[rows.any(axis=1)]:
        ax.annotate("", xy=row, xytext=(0, 0), arrowprops={"arrowstyle": "-|>", "color": plotting.series(1), "lw": 1.6})
    shown = rows[rows.any(axis=1)]
    ax.plot(*shown.T, "o", color=plotting.series(1), markersize=3, label="latents")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))


@experiment.figure(
    "sae-polygon-found",
    title="Corners found",
    caption="At p = 0.03 every variant misses some corners with as many latents as features; with twice as "
    "many, all but Matryoshka find nearly all. At p = 0.3 spare latents help some variants and hinder ReLU + ℓ₁. Share "
    "of represented features with a latent within five degrees, sixteen models at each density; dotted: random "
    "directions.",
    alt="Three panels, one per density, of points with intervals for six variants at two widths. At low density "
    "ten latents lie near one except for Matryoshka and five latents between a third and four fifths; at "
    "high density the order changes with the variant.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_found(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.densities), width="wide", height=3.0, sharey=True)
    places = np.arange(len(VARIANTS))
    for k, ax in enumerate(axes):
        for w, width in enumerate(result.widths):
            values = [mean(row, within=(0, 1)) for row in result.found[k, w]]
            plotting.points(ax, places + 0.24 * w - 0.12, values, index=w, label=f"{width} latents")
            line = ax.axhline(result.chance[k, w], color=plotting.series(w), linestyle=":", linewidth=1)
            line.set_label(f"chance, {width} latents")
        ax.set_xticks(places, [plotting.VARIANT_NAMES[name] for name in VARIANTS], rotation=55, ha="right")
        ax.set(title=f"p = {result.densities[k]:g}", ylim=(-0.03, 1.05))
    axes[0].set_ylabel("share of features found")
    plotting.legend(axes[0], figure=figure)
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "sae-polygon-found",
    title="With twice as many latents as features, every variant finds nine in ten corners of a pentagon",
    statements=("I1",),
    test="Share of represented features with a latent within five degrees at p = 0.03, two latents for each "
    "feature, for each of the six variants. Statistic: the lowest of the six means over models.",
    criterion=Criterion(
        supported_if(Every(name="found", each=Above(0.9), of="variant")),
        refuted_if(NoneOf(name="found", each=Above(0.9), of="variant")),
        otherwise=Verdict.MIXED,
        names={"found": "the share found"},
    ),
    figures=("sae-polygon", "sae-polygon-found"),
    published=Verdict.MIXED,
)
def found_by_every_variant(result: Result) -> Evidence:
    return Evidence(lowest=min(result.found_wide, key=lambda each: each.value), found=result.found_wide)


@experiment.claim(
    "sae-polygon-width",
    title="As many latents as features find as much as twice as many",
    statements=("I1",),
    test="Share found with one latent for each feature less that with two, at p = 0.03, mean over the six "
    "variants. Statistic: mean over models.",
    criterion=above(-0.05),
    figures=("sae-polygon-found",),
    published=Verdict.REFUTED,
)
def deficit_of_narrow_dictionaries(result: Result) -> Quantity:
    return result.narrow_deficit


@experiment.claim(
    "sae-mcc-overstates",
    title="The published MCC counts antipodes as features found",
    statements=("I1",),
    source="SAELens, synthetic evaluations",
    test="MCC, which matches by |cos|, less the same score matched by cos, at p = 0.03 with as many latents as "
    "features, mean over the six variants. Statistic: mean over models.",
    criterion=above(0.05),
    figures=("sae-polygon-found",),
    published=Verdict.SUPPORTED,
)
def overstated_by_the_mcc(result: Result) -> Quantity:
    return result.overstated


@experiment.claim(
    "sae-antipodal",
    title="A feature is missed more often when its antipode is present",
    statements=("I1",),
    test="Recall of the latent nearest to a feature of an antipodal pair, at the highest density and two latents "
    "for each feature: antipode absent less antipode present, mean over pairs and the six variants. "
    "Statistic: mean over models with a pair.",
    criterion=above(0.2, refuted_below=0.0),
    figures=("sae-polygon",),
    published=Verdict.SUPPORTED,
)
def recall_lost_to_antipodes(result: Result) -> Quantity:
    return result.recall_loss
