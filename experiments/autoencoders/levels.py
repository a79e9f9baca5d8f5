"""How many latents may be active, how many may there be, and does good reconstruction mean good recovery? I1.

Top-k autoencoders on models of 100 features in 40 dimensions, for a grid of k and widths, at a low density and at one
at which the models store antipodal pairs. Beside each stands one whose decoder is the true dictionary and only the
encoder is trained: what the truth itself would score.
"""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.kinds import share_found
from experiments.autoencoders.shared.own_models import Worlds, own_worlds
from experiments.core import plotting, progress
from experiments.core.autoencoders.evaluation import evaluate_autoencoders
from experiments.core.autoencoders.specification import Autoencoder, Specification, grid
from experiments.core.autoencoders.state import State, first_state, split
from experiments.core.autoencoders.train import train_autoencoders
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, bootstrap_each, mean, share

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 12
    features: int = 100
    hidden: int = 40
    density: float = 0.04  # four features at a time
    actives: tuple[int, ...] = (1, 2, 4, 10)  # k at that density
    widths: tuple[int, ...] = (50, 100, 200)
    dense: float = 0.3
    dense_actives: tuple[int, ...] = (5, 10, 20, 30)  # k there, with as many latents as features
    steps: int = 1200
    batch: int = 384
    learning_rate: float = 1e-2
    model_steps: int = 3000
    samples: int = 1 << 13


def number_names(config: Config) -> list[str]:
    """Return names such as "found_50_k1" (by width and k), those of the high density, and its best k."""
    cells = [f"{name}_{w}_k{k}" for name in ("found", "explained") for w in config.widths for k in config.actives]
    true = [f"true_explained_k{k}" for k in config.actives]
    dense = [f"dense_{name}_k{k}" for name in ("found", "explained") for k in config.dense_actives]
    return [*cells, *true, *dense, "dense_best_k", "dense_best_found", "dense_represented"]


@dataclass(frozen=True)
class Result:
    """`found` and `explained` at the low density, the same with the prefix `dense_` at the high one.

    `true_explained` has the true dictionary as decoder. `true_l0` and `dense_l0` are how many represented features are
    present per sample, `apart_l0` how many antipodal pairs and single features are, since a pair shows only its
    difference.
    """

    widths: tuple[int, ...]
    actives: tuple[int, ...]
    dense_actives: tuple[int, ...]
    found: Array  # (width, k, seed)
    explained: Array  # (width, k, seed)
    true_explained: Array  # (k, seed)
    dense_found: Array  # (k, seed)
    dense_explained: Array  # (k, seed)
    dense_true_explained: Array  # (k, seed)
    true_l0: Quantity
    dense_l0: Quantity
    apart_l0: Quantity
    better_than_truth: Quantity
    agreement: Quantity
    spare: Quantity
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Sparsity levels and widths",
    config=Config(),
    # Sizes stay: the page quotes scores at some of these widths and k.
    quick=Config(seeds=2, steps=40, batch=64, model_steps=100, samples=1 << 10),
    large=Config(seeds=8, actives=(1, 2, 3, 4, 5, 6, 8, 10, 12), widths=(25, 50, 100, 200, 400), steps=8000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    rare = _worlds(config, config.density, 0, device)
    found, explained, true_explained = _scores(config, rare, config.widths, config.actives, device)
    progress.advance("densities", 0.6)
    dense = _worlds(config, config.dense, 1, device)
    dense_found, dense_explained, dense_true = _scores(config, dense, (config.features,), config.dense_actives, device)
    equal = config.widths.index(config.features)
    below = np.array(config.actives) < config.density * config.features
    numbers = {
        f"{name}_{width}_k{k}": mean(values[w, i])
        for name, values in (("found", found), ("explained", explained))
        for w, width in enumerate(config.widths)
        for i, k in enumerate(config.actives)
    }
    numbers |= {f"true_explained_k{k}": mean(true_explained[i]) for i, k in enumerate(config.actives)}
    numbers |= {f"dense_found_k{k}": mean(dense_found[0, i]) for i, k in enumerate(config.dense_actives)}
    numbers |= {f"dense_explained_k{k}": mean(dense_explained[0, i]) for i, k in enumerate(config.dense_actives)}
    numbers |= _best(config, dense_found[0])
    numbers["dense_represented"] = mean(dense.counted.sum(axis=1))
    return Result(
        widths=config.widths,
        actives=config.actives,
        dense_actives=config.dense_actives,
        found=found,
        explained=explained,
        true_explained=true_explained,
        dense_found=dense_found[0],
        dense_explained=dense_explained[0],
        dense_true_explained=dense_true,
        true_l0=_quantity(rare.active),
        dense_l0=_quantity(dense.active),
        apart_l0=mean([_apart(dense, s) for s in range(config.seeds)]),
        better_than_truth=share((explained[equal] > true_explained)[below].all(axis=0)),
        agreement=share(_agree(found, explained)),
        spare=mean(found[-1, _nearest(config)] - found[equal, _nearest(config)]),
        numbers=numbers,
    )


def _best(config: Config, found: Array) -> dict[str, Quantity]:
    """Return the k at which most is found (k, seed), and how much; each resample of the models chooses its own."""

    def chosen(seeds: NDArray[np.int64]) -> list[float]:
        means = found[:, seeds].mean(axis=1)
        return [float(config.dense_actives[int(means.argmax())]), float(means.max())]

    best, share_found = bootstrap_each(chosen, found.shape[1])
    return {"dense_best_k": best, "dense_best_found": share_found}


def _quantity(value: float) -> Quantity:
    return Quantity(value, method="represented features times density, mean over models")


def _nearest(config: Config) -> int:
    """Return the position of the k nearest to the number of features present."""
    return int(np.abs(np.array(config.actives) - config.density * config.features).argmin())


def _worlds(config: Config, density: float, k: int, device: str) -> Worlds:
    return own_worlds(
        config.features,
        config.hidden,
        density,
        config.seeds,
        steps=config.model_steps,
        batch=config.batch,
        seed=config.seed + k,
        device=device,
    )


def _specification(config: Config, models: tuple[Autoencoder, ...]) -> Specification:
    return Specification(
        models,
        steps=config.steps,
        batch=config.batch,
        learning_rate=config.learning_rate,
        aux=True,
        resample=250,
        dead_after=20_000,
        seed=config.seed,
    )


def _scores(
    config: Config, worlds: Worlds, widths: tuple[int, ...], actives: tuple[int, ...], device: str
) -> tuple[Array, Array, Array]:
    """Return the share of features found and the variance explained (width, k, seed), and the latter for the truth.

    For the truth (k, seed), the decoder is the true dictionary and only the encoder is trained; all are trained
    together, since they share their data.
    """
    learned = grid(("topk",), widths, actives, range(config.seeds))
    true = [replace(each, frozen=True) for each in grid(("topk",), (config.features,), actives, range(config.seeds))]
    specification = _specification(config, (*learned, *true))
    state = first_state(tuple(worlds.sources), specification)
    for i, model in enumerate(true, start=len(learned)):
        _use(state, i, worlds.sources[model.source].directions)
    trained = train_autoencoders(worlds.sources, specification, state=state, device=device)
    scores = evaluate_autoencoders(trained, worlds.sources, samples=config.samples, counted=list(worlds.counted))
    shape, number = (len(widths), len(actives), config.seeds), len(learned)
    explained, true_explained = scores.explained[:number], scores.explained[number:]
    return share_found(scores)[:number].reshape(shape), explained.reshape(shape), true_explained.reshape(shape[1:])


def _use(state: State, i: int, directions: NDArray[np.float32]) -> None:
    """Make the true directions decoder and first encoder of one instance; those without length stay as drawn."""
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    part, real = split(state.parameters[i], state.latents, state.hidden), np.flatnonzero(length[:, 0] > 1e-6)
    part.W_dec[real] = (directions / np.maximum(length, 1e-6))[real]
    part.W_enc[real] = part.W_dec[real]


def _apart(worlds: Worlds, s: int) -> float:
    """Return how many represented features are present per sample, an antipodal pair counting once."""
    W = worlds.sources[s].directions[worlds.counted[s]]
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    paired = ((unit @ unit.T) < -0.98).any(axis=1)
    p = worlds.density
    return float((~paired).sum() * p + paired.sum() / 2 * (1 - (1 - p) ** 2))


def _agree(found: Array, explained: Array) -> NDArray[np.bool_]:
    """Return, for every seed, whether the k and width that reconstruct best are among those that find most."""
    seeds = found.shape[-1]
    flat_found, flat_explained = found.reshape(-1, seeds), explained.reshape(-1, seeds)
    chosen = flat_explained.argmax(axis=0)
    return np.asarray(flat_found[chosen, np.arange(seeds)] >= flat_found.max(axis=0))


@experiment.figure(
    "sae-levels",
    title="Sparsity level and width",
    caption="With fewer latents than features, a larger k finds fewer features and still explains more. TopK "
    "autoencoders on 100 features in 40 dimensions at p = 0.04, where {true_l0:.1f} features are present at a time "
    "(grey line), twelve models. (a) Share of features found: with 200 latents all, or nearly all, at every k. "
    "(b) Variance explained: it rises with k at every width. Dashed: the decoder is the true dictionary.",
    alt="Two panels over k. Left, shares found for three widths: near one for 100 and 200 latents, falling from "
    "one half to near zero for 50. Right, variance explained rises with k for all widths; a dashed line "
    "lies on that of 200 latents.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_levels(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    for ax, values in ((left, result.found), (right, result.explained)):
        for w, width in enumerate(result.widths):
            _band(ax, result.actives, values[w], w, f"{width} latents")
        plotting.guide(ax, result.true_l0.value, vertical=True)
        ax.set(xlabel="active latents k", xticks=result.actives)
    plotting.theory_line(right, result.actives, result.true_explained.mean(axis=1), label="true dictionary")
    left.set(ylabel="share of features found", ylim=(0, 1.03))
    right.set(ylabel="variance explained", ylim=(None, 1.01))
    plotting.legend(right, figure=figure)
    plotting.panel_letters((left, right))
    return figure


def _band(ax: Axes, x: tuple[int, ...], values: Array, index: int, label: str) -> None:
    found = [mean(row, within=(0, 1)) for row in values]
    low, mid, high = ([getattr(each, name) for each in found] for name in ("low", "value", "high"))
    plotting.band(ax, x, low, mid, high, label=label, index=index, marker="o")


@experiment.figure(
    "sae-disagree",
    title="Reconstruction is not recovery",
    caption="An autoencoder that explains more can find less. (a) p = 0.04: with 50 latents for 100 features, what "
    "explains more finds less. (b) p = 0.3, where models store antipodal pairs: k = 30 explains "
    "{numbers.dense_explained_k30:% value} of the variance and finds {numbers.dense_found_k30:% value} of "
    "the features; k = 10 explains {numbers.dense_explained_k10:% value} and finds "
    "{numbers.dense_found_k10:% value}. Each mark is one TopK autoencoder; colours and marks tell widths apart.",
    alt="Two scatter plots with groups of marks labelled by k. Left, an upper branch with nearly all features found "
    "at every variance explained, and a lower one, of the narrowest autoencoders, that falls as more is explained. "
    "Right, marks fall from nearly all features found at k = 5 to none at k = 30.",
)
def draw_disagree(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.4, sharey=True)
    for w, width in enumerate(result.widths):
        _scatter(axes[0], result.explained[w], result.found[w], w, f"{width} latents")
    for w in (0, len(result.widths) - 1):
        _name_levels(axes[0], result.explained[w], result.found[w], result.actives)
    middle = len(result.widths) // 2  # as many latents as features
    _scatter(axes[1], result.dense_explained, result.dense_found, middle, f"{result.widths[middle]} latents")
    _name_levels(axes[1], result.dense_explained, result.dense_found, result.dense_actives)
    axes[0].set(ylabel="share of features found", ylim=(-0.04, 1.12), title="p = 0.04")
    axes[1].set_title("p = 0.3")
    for ax in axes:
        ax.set_xlabel("variance explained")
        ax.margins(x=0.12)
    plotting.legend(axes[0], figure=figure)
    plotting.panel_letters(axes)
    return figure


def _scatter(ax: Axes, explained: Array, found: Array, index: int, label: str) -> None:
    tone = plotting.series(index)
    (marks,) = ax.plot(explained.ravel(), found.ravel(), "o", color=tone, markersize=4, alpha=0.8, label=label)
    plotting.marked(marks, index)


def _name_levels(ax: Axes, explained: Array, found: Array, actives: tuple[int, ...]) -> None:
    """Write k above each group of autoencoders, (k, seed)."""
    for active, x, y in zip(actives, explained, found, strict=True):
        name = f"k = {active}" if active == actives[0] else f"{active}"
        ax.annotate(name, (x.mean(), y.max()), (0, 5), textcoords="offset points", ha="center", fontsize=8)


@experiment.claim(
    "sae-better-than-truth",
    title="With k too small, a learned dictionary reconstructs better than the true one",
    statements=("I1",),
    source="Sparse but Wrong (arXiv 2508.16560)",
    test="Variance explained by TopK autoencoders with a learned decoder against one whose decoder is the true "
    "dictionary, both with as many latents as features, p = 0.04. Statistic: share of models for which the "
    "learned one is better at every k below the number of features present.",
    criterion=above(0.5, otherwise=Verdict.MIXED),
    figures=("sae-levels",),
    published=Verdict.REFUTED,
)
def better_than_the_true_dictionary(result: Result) -> Quantity:
    return result.better_than_truth


@experiment.claim(
    "sae-reconstruction-recovery",
    title="The autoencoder that reconstructs best is the one that finds most features",
    statements=("I1",),
    test="Over all k and widths at p = 0.04, whether the autoencoder with the highest variance explained finds "
    "as many features as any. Statistic: share of models.",
    criterion=above(0.5),
    figures=("sae-disagree", "sae-levels"),
    published=Verdict.INCONCLUSIVE,
)
def best_reconstruction_finds_most(result: Result) -> Quantity:
    return result.agreement


@experiment.claim(
    "sae-spare-latents",
    title="Spare latents find features that a tight dictionary misses",
    statements=("I1",),
    test="Share found with twice as many latents as features less that with as many, k = 4, p = 0.04. Statistic: "
    "mean over models.",
    criterion=above(0.0),
    figures=("sae-levels",),
    published=Verdict.SUPPORTED,
)
def gain_of_spare_latents(result: Result) -> Quantity:
    return result.spare
