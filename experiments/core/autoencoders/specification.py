"""What to train: sparse autoencoders on activations whose true features are known, and by which recipe.

Axis names: `instance` (one autoencoder), `batch`, `hidden` (the activations' dimension), `latent` (the autoencoder's
width) and `feature` (of the data). With `v = W_enc (x - b_dec) + b_enc`, latents `f` and reconstruction
`x̂ = W_dec^T f + b_dec`, rows of `W_dec` of unit length, the variants differ in `f` and in the loss
L = E ||x - x̂||^2 + penalty:

- `relu`: f = ReLU(v), penalty λ Σ f (Bricken et al. 2023, "Towards Monosemanticity").
- `gated`: f = 1[v > 0] ReLU(e^r (v - b_enc) + b_mag), penalty λ Σ ReLU(v) and E ||x - x̂(ReLU(v))||^2 with a frozen
  decoder (Rajamanoharan et al. 2024, arXiv 2404.16014).
- `jumprelu`: f = v 1[v > θ], penalty λ Σ 1[v > θ], slopes of the step by a rectangle of width `bandwidth`
  (Rajamanoharan et al. 2024, arXiv 2407.14435).
- `topk`: f = the k largest of ReLU(v) per sample (Gao et al. 2024, arXiv 2406.04093).
- `batchtopk`: the k·B largest of a batch of B samples; when used, v above a running mean of the smallest that was kept
  (Bussmann et al. 2024, arXiv 2412.06410).
- `matryoshka`: as `batchtopk`, the loss being the mean over nested prefixes of latents (Bussmann et al. 2025,
  arXiv 2503.17547).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from experiments.core.training.checks import SpecificationError

Variant = Literal["relu", "gated", "topk", "batchtopk", "jumprelu", "matryoshka"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
PENALISED = ("relu", "gated", "jumprelu")
"""Variants whose sparsity comes from a penalty; in the others it is imposed."""


@dataclass(frozen=True)
class Autoencoder:
    """One instance: `width` latents of which `active` fire per sample on average (L0).

    `active` is k for the top-k family (a whole number for `topk`). Penalised variants reach it by adapting λ during
    training, or keep λ at `penalty` if that is given. `seed` selects the first weights, `source` the data source. The
    decoder of a `frozen` one stays as drawn: the baseline that shows what the encoder alone achieves.
    """

    variant: Variant
    width: int
    active: float
    seed: int = 0
    source: int = 0
    penalty: float | None = None
    frozen: bool = False


@dataclass(frozen=True)
class Specification:
    """What to train and how; all autoencoders see the same number of samples.

    Adam; the rate rises over `warmup` steps and falls linearly to 0 over the last share `decay` of them. Activations
    are taken as they are: those of unit features suit the defaults.

    Remedies for dead latents, those silent for `dead_after` samples; both are off by default. `aux`: they try to
    reconstruct the residual, the `aux_latents` strongest per sample (half of `hidden` if None), with weight
    `aux_weight` (Gao et al. 2024). `resample`: every so many steps, up to the share `resample_until` of all, they are
    pointed at samples drawn in proportion to their squared residual (Bricken et al. 2023).

    `prefixes` are the shares of latents in the nested dictionaries of `matryoshka`. `seed` selects the data.
    """

    models: tuple[Autoencoder, ...]
    steps: int = 4000
    batch: int = 512
    learning_rate: float = 3e-3
    warmup: int = 100
    decay: float = 0.3
    aux: bool = False
    aux_latents: int | None = None
    aux_weight: float = 1 / 32
    dead_after: int = 10_000
    resample: int | None = None
    resample_until: float = 0.5
    prefixes: tuple[float, ...] = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
    bandwidth: float = 0.1
    first_penalty: float = 0.05
    penalty_rate: float = 0.01
    threshold_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)

    @property
    def latents(self) -> int:
        """Return the largest width, to which arrays are padded."""
        return max(model.width for model in self.models)


def grid(
    variants: Iterable[Variant],
    widths: Iterable[int],
    actives: Iterable[float],
    seeds: Iterable[int],
    sources: Sequence[int] | None = None,
) -> tuple[Autoencoder, ...]:
    """Return all combinations, seeds fastest: reshape instances to (variant, width, active, seed).

    The i-th seed sees source `sources[i]`, by default source i: seeds differ in data as well as in first weights.
    """
    listed = list(seeds)
    of_seed = range(len(listed)) if sources is None else sources
    pairs = list(zip(listed, of_seed, strict=True))
    return tuple(
        Autoencoder(variant, width, active, seed, source)
        for variant, width, active, (seed, source) in product(variants, widths, actives, pairs)
    )


def prefix_ends(prefixes: tuple[float, ...], width: int) -> tuple[int, ...]:
    """Return the sizes of the nested dictionaries: distinct, increasing, the last one `width`."""
    return tuple(sorted({max(1, round(share * width)) for share in prefixes} | {width}))


def check(specification: Specification) -> None:
    """Raise `SpecificationError` naming the field and its value if something makes no sense."""
    if not specification.models:
        raise SpecificationError("models is empty; name at least one Autoencoder")
    for name in ("steps", "batch", "learning_rate", "bandwidth", "first_penalty"):
        if getattr(specification, name) <= 0:
            raise SpecificationError(f"{name} is {getattr(specification, name)}; it must be above 0")
    if not all(0 < share <= 1 for share in specification.prefixes):
        raise SpecificationError(f"prefixes is {specification.prefixes}; shares lie in (0, 1]")
    if specification.resample is not None and specification.resample < 1:
        raise SpecificationError(f"resample is {specification.resample}; it is a number of steps, at least 1")
    for model in specification.models:
        _check_model(model)


def _check_model(model: Autoencoder) -> None:
    if model.variant not in VARIANTS:
        raise SpecificationError(f"no variant {model.variant!r}; known are {VARIANTS}")
    if model.width < 1 or not 0 < model.active <= model.width:
        raise SpecificationError(f"{model}: needs 0 < active <= width and a width of at least 1")
    if model.variant == "topk" and model.active != int(model.active):
        raise SpecificationError(f"{model}: active is k for topk, a whole number; batchtopk takes fractions")
    if model.penalty is not None and (model.variant not in PENALISED or model.penalty <= 0):
        raise SpecificationError(f"{model}: penalty is above 0 and only for {PENALISED}")
    if model.source < 0 or model.seed < 0:
        raise SpecificationError(f"{model}: source and seed must not be negative")
