"""Do sparse autoencoders find the features of this report's own models, and read them better than a probe? I1 and G2.

Models of 100 features in 40 dimensions and of 256 in 64 are trained as everywhere in this report; autoencoders of six
kinds are then trained on their hidden activations, at the density the model was trained for. The truth is known: a
feature's direction is its column of `W`.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.kinds import FOUND, KINDS, every_kind, share_found
from experiments.autoencoders.shared.own_models import own_worlds
from experiments.autoencoders.shared.read_outs import READ_OUTS, best_f1, interference_left
from experiments.autoencoders.shared.recovery_figures import density_figure, interference_figure
from experiments.core import progress
from experiments.core.autoencoders.evaluation import evaluate_autoencoders
from experiments.core.autoencoders.sources import stream
from experiments.core.autoencoders.specification import VARIANTS
from experiments.core.autoencoders.train import train_autoencoders
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    Criterion,
    Every,
    Evidence,
    NoneOf,
    Verdict,
    above,
    below,
    refuted_if,
    supported_if,
)
from experiments.core.quantities import Quantity, bootstrap, mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 12  # models for each density, with one autoencoder of each kind
    features: int = 100
    hidden: int = 40
    densities: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3)
    steps: int = 1500
    wide_features: int = 256
    wide_hidden: int = 64
    wide_density: float = 1 / 64
    wide_steps: int = 3000  # one and a half million samples for each autoencoder
    batch: int = 512
    learning_rate: float = 1e-2
    model_steps: int = 3000  # of the superposition models
    samples: int = 1 << 13
    coded_samples: int = 1 << 11


SCORES = ("found", "f1", "signed_mcc", "explained")
WIDE_SCORES = (*SCORES, "l0", "dead")
PLACES = ("sparsest", "dense", "densest")
"""The lowest, the second highest and the highest density."""


def number_names(config: Config) -> list[str]:
    """Return the names of the numbers: by kind and score, by read-out, by density, and of the larger models."""
    at_claims = [f"{kind}_{score}" for kind in KINDS for score in SCORES]
    readings = [f"{what}_{r.replace(' ', '_')}" for what in ("left", "removed") for r in READ_OUTS]
    places = [f"{kind}_{score}_{place}" for place in PLACES for score in ("found", "explained") for kind in KINDS]
    places += [f"{name}_{place}" for place in PLACES for name in ("own_f1", "f1", "left_own", "left_true_code")]
    wide = [f"wide_{kind}_{score}" for kind in KINDS for score in WIDE_SCORES]
    fixed = ["features", "hidden", "deciding_density", "wide_represented", "wide_active", "wide_chance"]
    return [*at_claims, *readings, *places, *wide, *fixed]


@dataclass(frozen=True)
class Result:
    """Scores of the smaller models, kinds as in `KINDS` and read-outs as in `READ_OUTS`.

    `found` is the share of represented features with a latent of cosine above 0.9, `f1` the mean F1 of the nearest
    latents, `own_f1` that of the model's own read-out at its best threshold, `chance` the signed MCC of random
    directions. `active` is the wanted L0: represented features present per sample.
    """

    densities: Array  # (density,)
    active: Array  # (density,)
    found: Array  # (density, kind, seed)
    f1: Array  # (density, kind, seed)
    own_f1: Array  # (density, seed)
    signed_mcc: Array  # (density, kind, seed)
    explained: Array  # (density, kind, seed)
    interference: Array  # (density, read-out, seed)
    chance: Array  # (density,)
    found_by_kind: tuple[Quantity, ...]
    wide_found_by_kind: tuple[Quantity, ...]
    found_change: Quantity
    trained_f1: Quantity
    frozen_f1_share: Quantity
    removed: Quantity
    beyond_own: Quantity
    beyond_encoder: Quantity
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Autoencoders on this report's own models",
    config=Config(),
    quick=Config(
        seeds=2,
        features=20,
        hidden=8,
        densities=(0.05, 0.3),
        steps=100,
        wide_features=32,
        wide_hidden=12,
        wide_steps=100,
        batch=128,
        model_steps=300,
        samples=1 << 11,
        coded_samples=1 << 8,
    ),
    large=Config(seeds=8, steps=8000, wide_steps=16_000, samples=1 << 15),
)

SPARSE = 1
"""Position of the density at which claims are decided, 0.03: three features at a time."""


@experiment.run
def run(config: Config, device: str) -> Result:
    parts = [_measured(config, p, k, device) for k, p in enumerate(config.densities)]
    wide = _wide(config, device)
    names = ("found", "f1", "own_f1", "signed_mcc", "explained", "interference")
    stacked = {name: np.stack([part[name] for part in parts]) for name in names}
    here = min(SPARSE, len(parts) - 1)
    found, left = stacked["found"][:, : len(VARIANTS)], stacked["interference"]
    at = {name: number for number, name in enumerate(READ_OUTS)}
    linear, encoders = left[here, at["linear"]], left[here, at["relu"] : at["relu"] + len(VARIANTS)]
    return Result(
        densities=np.array(config.densities),
        active=np.array([part["active"] for part in parts]),
        chance=np.array([part["chance"] for part in parts]),
        found_by_kind=tuple(mean(row) for row in found[here]),
        wide_found_by_kind=tuple(wide[f"{variant}_found"] for variant in VARIANTS),
        found_change=mean((found[-2] - found[0]).mean(axis=0)),
        removed=mean(1 - encoders.mean(axis=0) / linear),
        beyond_own=_beyond(left[here, at["own"]], encoders),
        beyond_encoder=mean(left[here, at["topk"]] - left[here, at["learned code"]]),
        trained_f1=mean(stacked["f1"][here, : len(VARIANTS)].mean(axis=0)),
        frozen_f1_share=mean(stacked["f1"][here, -1] / stacked["f1"][here, : len(VARIANTS)].mean(axis=0)),
        numbers=_numbers(config, stacked, here) | {f"wide_{name}": value for name, value in wide.items()},
        **stacked,
    )


def _beyond(own: Array, encoders: Array) -> Quantity:
    """Return what the own read-out leaves (seed,) less what the best of the encoders (variant, seed) leaves.

    Each resample of the seeds chooses its own best variant.
    """
    return bootstrap(lambda seeds: float(own[seeds].mean() - encoders[:, seeds].mean(axis=1).min()), own.size)


def _measured(config: Config, density: float, k: int, device: str) -> dict[str, Array]:
    """Return every score of one density, (kind, seed) or (read-out, seed)."""
    n, d = config.features, config.hidden
    worlds = own_worlds(
        n, d, density, config.seeds, steps=config.model_steps, batch=config.batch, seed=config.seed + k, device=device
    )
    kinds = every_kind(worlds, config.steps, config.batch, config.learning_rate, config.seed)
    trained = train_autoencoders(worlds.sources, kinds, device=device)
    scores = evaluate_autoencoders(trained, worlds.sources, samples=config.samples, counted=list(worlds.counted))
    progress.advance("densities", (k + 1) / (len(config.densities) + 1))
    shape = (len(KINDS), config.seeds)
    batches = [source.draw(stream(config.seed, 7, s), config.samples) for s, source in enumerate(worlds.sources)]
    return {
        "active": np.array(worlds.active),
        "found": share_found(scores).reshape(shape),
        "f1": np.nanmean(scores.feature_f1, axis=1).reshape(shape),
        "own_f1": np.array([best_f1(worlds, s, batch) for s, batch in enumerate(batches)]),
        "signed_mcc": scores.signed_mcc.reshape(shape),
        "explained": scores.explained.reshape(shape),
        "chance": np.array(scores.chance_signed_mcc.mean()),
        "interference": np.stack(
            [interference_left(worlds, trained, s, batch, config.coded_samples) for s, batch in enumerate(batches)],
            axis=1,
        ),
    }


def _wide(config: Config, device: str) -> dict[str, Quantity]:
    """Return scores of the larger models by kind."""
    n, d, p = config.wide_features, config.wide_hidden, config.wide_density
    worlds = own_worlds(
        n, d, p, config.seeds, steps=config.model_steps, batch=config.batch, seed=config.seed + 99, device=device
    )
    kinds = every_kind(worlds, config.wide_steps, config.batch, config.learning_rate, config.seed)
    trained = train_autoencoders(worlds.sources, kinds, device=device)
    scores = evaluate_autoencoders(trained, worlds.sources, samples=config.samples, counted=list(worlds.counted))
    columns = {
        "found": share_found(scores),
        "f1": np.nanmean(scores.feature_f1, axis=1),
        "signed_mcc": scores.signed_mcc,
        "explained": scores.explained,
        "l0": scores.l0,
        "dead": scores.dead,
    }
    by_kind = {
        f"{kind}_{name}": mean(values.reshape(len(KINDS), config.seeds)[k])
        for name, values in columns.items()
        for k, kind in enumerate(KINDS)
    }
    return by_kind | {
        "represented": mean(worlds.counted.sum(axis=1)),
        "active": Quantity(worlds.active, method="represented features times density"),
        "chance": mean(scores.chance_signed_mcc[: config.seeds]),
    }


def _numbers(config: Config, scores: dict[str, Array], here: int) -> dict[str, Quantity]:
    """Return what prose quotes: every kind at the deciding density, and the extremes of density."""
    numbers = {f"{kind}_{name}": mean(scores[name][here, k]) for k, kind in enumerate(KINDS) for name in SCORES}
    numbers |= {
        "features": Quantity(config.features, method="configuration"),
        "hidden": Quantity(config.hidden, method="configuration"),
        "deciding_density": Quantity(config.densities[here], method="configuration"),
    }
    left = scores["interference"][here]
    for k, name in enumerate(READ_OUTS):
        numbers[f"left_{name.replace(' ', '_')}"] = mean(left[k])
        numbers[f"removed_{name.replace(' ', '_')}"] = mean(1 - left[k] / left[0])
    for where, position in (("sparsest", 0), ("dense", len(config.densities) - 2), ("densest", -1)):
        numbers |= {f"{kind}_found_{where}": mean(scores["found"][position, k]) for k, kind in enumerate(KINDS)}
        numbers |= {f"{kind}_explained_{where}": mean(scores["explained"][position, k]) for k, kind in enumerate(KINDS)}
        numbers[f"own_f1_{where}"] = mean(scores["own_f1"][position])
        numbers[f"f1_{where}"] = mean(scores["f1"][position, : len(VARIANTS)].mean(axis=0))
        numbers[f"left_own_{where}"] = mean(scores["interference"][position, 1])
        numbers[f"left_true_code_{where}"] = mean(scores["interference"][position, -1])
    return numbers


@experiment.figure(
    "sae-density",
    title="Features found, by density",
    caption="At p = 0.03 and below most features are found, at p = 0.3 few, except by ReLU + ℓ₁. "
    "{numbers.features:.0f} features in "
    "{numbers.hidden:.0f} dimensions, as many latents as features, as many active as features are present; twelve "
    "models each. (a) Share of the represented features that some latent points at (cosine above 0.9). At p = 0.3 the "
    "models store antipodal pairs. (b) How well the nearest latent tells when a feature is present; dashed: the "
    "model's own read-out at its best threshold.",
    alt="Two panels over density. Left, shares found: near one for five of six variants up to p = 0.03, lower at 0.1, "
    "then near zero, while ReLU with a penalty stays above one half; the frozen decoder is at zero. Right, F1 falls "
    "from about 0.8 to below one half, with ReLU at about 0.7 in the end; all lie below a dashed line and above a "
    "dotted one.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_density(result: Result) -> Figure:
    return density_figure(result)


@experiment.figure(
    "sae-interference",
    title="Interference that a read-out leaves",
    caption="Latents remove {removed:% value} of the interference that the best linear probe leaves at "
    "p = {numbers.deciding_density:.2f}; a sparse code, found by optimisation with TopK's dictionary, removes more. "
    "Share of a feature's variance that the best affine function of a reading leaves unexplained; activations are "
    "free of noise, so all of it is other features. (a) By density: means, and models as dots. (b) Every read-out at "
    "p = {numbers.deciding_density:.2f}.",
    alt="Left, unexplained variance on a logarithmic scale against feature probability: near 0.6 for the linear "
    "probe, rising from below 0.04 for the model's own read-out and Gated latents, lowest for sparse coding with the "
    "true dictionary; at the right edge only that and the own read-out are below the probe. Right, the same for all "
    "read-outs as points with intervals.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_interference(result: Result) -> Figure:
    return interference_figure(result, min(SPARSE, len(result.densities) - 1))


EVERY_VARIANT = Criterion(
    supported_if(Every(name="found", each=Above(FOUND), of="variant")),
    refuted_if(NoneOf(name="found", each=Above(FOUND), of="variant")),
    otherwise=Verdict.MIXED,
    names={"found": "the share found"},
)


def _lowest_and_all(found: tuple[Quantity, ...]) -> Evidence:
    return Evidence(lowest=min(found, key=lambda each: each.value), found=found)


SOURCE = "Towards Monosemanticity, which trains autoencoders on a language model's activations"


@experiment.claim(
    "sae-finds-features",
    title="Every variant finds nine in ten features of a superposition model",
    statements=("I1",),
    source=SOURCE,
    test="Share of represented features, 100 in 40 dimensions at p = 0.03, for which some latent has a cosine "
    "above 0.9, for each of the six variants at the true L0. Statistic: the lowest of the six means over "
    "seeds.",
    criterion=EVERY_VARIANT,
    figures=("sae-density",),
    published=Verdict.MIXED,
)
def found_by_every_variant(result: Result) -> Evidence:
    return _lowest_and_all(result.found_by_kind)


@experiment.claim(
    "sae-finds-features-wide",
    title="Every variant finds nine in ten of 256 features in 64 dimensions",
    statements=("I1",),
    source=SOURCE,
    test="Share of represented features, 256 in 64 dimensions at p = 1/64, for which some latent has a cosine above "
    "0.9, for each of the six variants at the true L0, with one and a half million samples for each autoencoder. "
    "Statistic: the lowest of the six means over seeds.",
    criterion=EVERY_VARIANT,
    published=Verdict.MIXED,
)
def found_by_every_wide_variant(result: Result) -> Evidence:
    return _lowest_and_all(result.wide_found_by_kind)


@experiment.claim(
    "sae-density",
    title="Dense features are found less often than rare ones",
    statements=("I1",),
    test="Share of features found at the second highest density, 0.1, less that at the lowest, 0.01, mean over "
    "the six variants. Statistic: mean over seeds.",
    criterion=below(0.0),
    figures=("sae-density",),
    published=Verdict.SUPPORTED,
)
def change_with_density(result: Result) -> Quantity:
    return result.found_change


@experiment.claim(
    "sae-random-decoder",
    title="An autoencoder with a frozen random decoder detects features nearly as well",
    statements=("I1",),
    source="Sanity checks for sparse autoencoders (arXiv 2602.14111)",
    test="F1 of the nearest latents at p = 0.03 with a frozen random decoder, over the mean of the six trained "
    "variants. Statistic: mean over seeds.",
    criterion=above(0.9),
    figures=("sae-density",),
    published=Verdict.REFUTED,
)
def share_of_a_random_decoder(result: Result) -> Quantity:
    return result.frozen_f1_share


@experiment.claim(
    "sae-removes-interference",
    title="Autoencoders remove most of the interference that a linear probe leaves",
    statements=("G2",),
    test="Interference on the readings of all represented features at p = 0.03, mean over the six variants, "
    "against the best linear probe of the same activations. Statistic: share removed, mean over seeds.",
    criterion=above(0.5),
    figures=("sae-interference",),
    published=Verdict.SUPPORTED,
)
def interference_removed(result: Result) -> Quantity:
    return result.removed


@experiment.claim(
    "sae-beyond-own",
    title="The best variant removes more interference than the model's own read-out",
    statements=("G2",),
    test="Interference of the model's own read-out less that of the variant with the least, at p = 0.03. "
    "Statistic: mean over seeds.",
    criterion=above(0.0),
    figures=("sae-interference",),
    published=Verdict.REFUTED,
)
def removed_beyond_the_own_read_out(result: Result) -> Quantity:
    return result.beyond_own


@experiment.claim(
    "sae-dictionary-beats-encoder",
    title="A sparse code with TopK's dictionary leaves less interference than TopK's encoder",
    statements=("G2",),
    source="Stop probing, start coding (arXiv 2603.28744) says the opposite: that the dictionary is what limits",
    test="Interference of TopK latents at p = 0.03 less that of a sparse code, found by optimisation, with the "
    "same dictionary. Statistic: mean over seeds.",
    criterion=above(0.0),
    figures=("sae-interference",),
    published=Verdict.SUPPORTED,
)
def removed_beyond_the_encoder(result: Result) -> Quantity:
    return result.beyond_encoder
