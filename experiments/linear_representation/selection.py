"""How easily is one feature selected from superposition by a linear layer with a threshold? Statements B4 and B5.

A gate answers whether one feature is present. It is asked of features that share few dimensions, of a feature with a
neuron to itself, and of a small non-linear probe; with as many labelled samples as one likes, and with few.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Verdict, above, below
from experiments.core.quantities import Quantity, bootstrap, mean, median
from experiments.core.read_out import sparse_samples
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.linear_representation.shared.gates import (
    balanced_error,
    gaussian_error,
    interference,
    labelled,
    overlaps,
    random_directions,
    threshold_error,
    train_gates,
    with_dedicated_neuron,
)

Array = NDArray[np.float64]

GATES = ("dedicated neuron", "linear gate", "non-linear probe")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    hidden: tuple[int, ...] = (8, 16, 32)  # dimensions m of the codes that are surveyed
    crowding: tuple[int, ...] = (2, 4, 8)  # features per dimension
    densities: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01, 0.003)  # of the other features
    codes: int = 16  # random codes per setting
    samples: int = 1 << 13  # of the disturbance
    trained_seeds: int = 4  # trained models, per density, of the gates' size
    trained_steps: int = 1500
    gate_hidden: int = 16
    gate_features: int = 64
    gate_densities: tuple[float, ...] = (0.1, 0.01)
    labelled: tuple[int, ...] = (16, 64, 256, 1024, 4096, 16384)  # samples that gates learn from
    gate_codes: int = 12  # random codes, each with its own labelled samples
    gate_steps: int = 400
    probe_width: int = 32
    test_samples: int = 4096


@dataclass(frozen=True)
class GateNumbers:
    """Balanced error with the fewest (`few`) and with `all` labelled samples, and the samples `needed` to learn."""

    few: Quantity
    all: Quantity
    needed: Quantity


@dataclass(frozen=True)
class AtDensity:
    """Measured at one density of the other features; `probe_gain` is the linear gate's error less the probe's."""

    dedicated: GateNumbers
    linear: GateNumbers
    probe: GateNumbers
    threshold: Quantity
    probe_gain: Quantity


@dataclass(frozen=True)
class Result:
    """Survey: `sigma` of the interference, its `density`, dimension `m`, balanced `error` of the best threshold along
    the feature's own direction; `model_*` are the same for trained models, one feature each. `curve_sigma`,
    `curve_error`: the error if interference were normal.

    `learned` are balanced errors on fresh samples of the `GATES`; `threshold` that of the best threshold along the
    feature's own direction, for the same codes.
    """

    sigma: Array  # (surveyed code,)
    density: Array  # (surveyed code,)
    m: NDArray[np.int64]  # (surveyed code,)
    error: Array  # (surveyed code,)
    model_sigma: Array  # (model,)
    model_density: Array  # (model,)
    model_error: Array  # (model,)
    curve_sigma: Array  # (point,)
    curve_error: Array  # (point,)
    counts: NDArray[np.int64]  # (sample count,)
    densities: Array  # (density,)
    learned: Array  # (density, gate, sample count, code)
    threshold: Array  # (density, code)
    rare_error: Quantity
    probe_gain: Quantity
    sample_ratio: Quantity
    curve_distance: Quantity
    by_density: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.gate_densities])


experiment = Experiment(
    __name__,
    title="Selecting one feature",
    config=Config(),
    quick=Config(
        hidden=(8, 16), crowding=(4,), densities=(0.1, 0.01), codes=4, samples=1 << 10, trained_seeds=1,
        trained_steps=100, gate_densities=(0.1, 0.01), labelled=(16, 256), gate_codes=4, gate_steps=60,
        test_samples=512,
    ),
)  # fmt: skip

NEAR = 0.02
"""A gate has learned when its balanced error is within two points of the linear gate's with all samples."""


@experiment.run
def run(config: Config, device: str) -> Result:
    survey = _survey(config)
    progress.advance("random codes", 0.2)
    models = _models(config, device)
    progress.advance("trained models", 0.4)
    learned, threshold = _learned(config)
    curve = np.geomspace(survey.sigma.min(), survey.sigma.max(), 60)
    linear, probe = learned[:, 1], learned[:, 2]
    needed = [np.array([_needed(config, errors, linear[k, -1].mean()) for errors in learned[k].swapaxes(-1, -2)])
              for k in range(len(config.gate_densities))]  # fmt: skip
    by_density = {
        f"{p:g}": _at_density(learned[k], needed[k], threshold[k]) for k, p in enumerate(config.gate_densities)
    }
    rare = -1
    return Result(
        sigma=survey.sigma,
        density=survey.density,
        m=survey.m,
        error=survey.error,
        model_sigma=models.sigma,
        model_density=models.density,
        model_error=models.error,
        curve_sigma=curve,
        curve_error=gaussian_error(curve),
        counts=np.array(config.labelled),
        densities=np.array(config.gate_densities),
        learned=learned,
        threshold=threshold,
        rare_error=by_density[f"{config.gate_densities[rare]:g}"].linear.all,
        probe_gain=mean((linear[:, -1] - probe[:, -1]).mean(0)),
        sample_ratio=median(needed[rare][2] / needed[rare][1], unit="times"),
        curve_distance=_root_mean_square((survey.error - gaussian_error(survey.sigma)).reshape(-1, config.codes)),
        by_density=by_density,
    )


def _at_density(learned: Array, needed: Array, threshold: Array) -> AtDensity:
    """Return the numbers of one density; `learned` is (gate, sample count, code), `needed` (gate, code)."""
    dedicated, linear, probe = (_gate_numbers(*each) for each in zip(learned, needed, strict=True))
    gain = mean(learned[1, -1] - learned[2, -1])
    return AtDensity(dedicated, linear, probe, threshold=mean(threshold, within=(0, 1)), probe_gain=gain)


def _gate_numbers(errors: Array, needed: Array) -> GateNumbers:
    """Return the numbers of one gate from its balanced errors (sample count, code) and needed samples (code,)."""
    return GateNumbers(
        few=mean(errors[0], within=(0, 1)), all=mean(errors[-1], within=(0, 1)), needed=median(needed, unit="samples")
    )


class _Survey(NamedTuple):
    sigma: Array
    density: Array
    m: NDArray[np.int64]
    error: Array


def _survey(config: Config) -> _Survey:
    """Measure the best threshold along the own direction of feature 0 in random codes of every size and density."""
    rng = np.random.default_rng(config.seed)
    rows = []
    for m in config.hidden:
        for crowding in config.crowding:
            overlap = overlaps(random_directions(m * crowding, m, config.codes, rng))
            rows += [_thresholds(overlap, p, m, config.samples, int(rng.integers(1 << 32))) for p in config.densities]
    return _Survey(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _models(config: Config, device: str) -> _Survey:
    """Measure the same in trained models, at their own density, for the first represented feature of each."""
    rows = []
    p = np.repeat(config.densities, config.trained_seeds)
    model = Model(config.gate_features, config.gate_hidden)
    recipe = Recipe(config.trained_steps, 256, 1e-2, schedule="cosine", seed=config.seed)
    trained = train(Data(p[:, None]), model, recipe, p.size, device)
    for k, (density, W) in enumerate(zip(p, trained.weights.W, strict=True)):
        longest = np.argsort(-np.linalg.norm(W, axis=0))
        overlap = overlaps(W[None, :, longest])
        rows.append(_thresholds(overlap, density, config.gate_hidden, config.samples, config.seed + k))
    return _Survey(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _thresholds(overlap: Array, p: float, m: int, samples: int, seed: int) -> _Survey:
    x = sparse_samples(p, overlap.shape[1], samples, seed)
    error = threshold_error(overlap @ x.T.astype(np.float64))
    return _Survey(interference(overlap, p), np.full(len(overlap), p), np.full(len(overlap), m), error)


def _learned(config: Config) -> tuple[Array, Array]:
    """Return balanced errors of learned gates (density, gate, sample count, code) and thresholds (density, code)."""
    learned, threshold = [], []
    for k, p in enumerate(config.gate_densities):
        rng = np.random.default_rng([config.seed, k])
        size = (config.gate_features, config.gate_hidden, config.gate_codes, rng)
        own, shared = with_dedicated_neuron(*size), random_directions(*size)
        errors = [
            _errors(config, W, p, width, 10 * k + g)
            for g, (W, width) in enumerate(((own, 0), (shared, 0), (shared, config.probe_width)))
        ]
        learned.append(np.stack(errors))
        threshold.append(_thresholds(overlaps(shared), p, config.gate_hidden, config.samples, config.seed + k).error)
        progress.advance("learned gates", 0.4 + 0.6 * (k + 1) / len(config.gate_densities))
    return np.stack(learned), np.stack(threshold)


def _errors(config: Config, W: Array, p: float, width: int, stream: int) -> Array:
    """Return the balanced error (sample count, code) of gates trained on each number of samples of each code."""
    seed = config.seed + 100 * stream
    sizes, codes = np.array(config.labelled), len(W)
    test = labelled(W, p, config.test_samples, seed)
    data = labelled(W, p, int(sizes.max()), seed + 1)
    row, counts = np.tile(np.arange(codes), len(sizes)), np.repeat(sizes, codes)
    gate = train_gates(data, row, counts, width, config.gate_steps, seed + 2)
    return balanced_error(gate, test, row).reshape(len(sizes), codes)


def _needed(config: Config, errors: Array, level: float) -> Array:
    """Return, per code, the least number of samples (of those tried) at which errors (code, count) come near `level`.

    A gate that never does counts as needing four times the largest number.
    """
    near = errors <= level + NEAR
    sizes = np.array([*config.labelled, 4 * config.labelled[-1]], dtype=np.float64)
    return sizes[np.where(near.any(1), near.argmax(1), len(sizes) - 1)]


def _root_mean_square(errors: Array) -> Quantity:
    """Return the root mean square of errors (setting, code), with a bootstrap over the random codes.

    The sampling error of one threshold is about 0.002 and counts for nothing beside the distances.
    """
    return bootstrap(lambda codes: float(np.sqrt(np.mean(errors[:, codes] ** 2))), errors.shape[1], of="random codes")


@experiment.figure(
    "selection-interference",
    title="Interference decides how well a threshold selects",
    caption="The more the other features disturb a read-out, the more its threshold errs. Drawn is the balanced error "
    "of the best threshold along a feature's own direction, against the standard deviation σ of what the other "
    "features add there; each dot is a random code with two to eight features per dimension. The dashed line holds "
    "for normal interference; codes of rare features err less, for most samples carry no interference at all. "
    "Crosses are features of trained models, 64 in 16 dimensions; those far below the line are "
    "at p = 0.3, in antipodal pairs, whose interference is negative and raises no false alarm. A dedicated neuron has "
    "σ = 0 and never errs.",
    alt="Scatter of error against interference. Points rise along one curve from near zero to about a third; rarer "
    "features lie below the dashed curve.",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.6)
    levels = np.unique(result.density)[::-1]
    for tone, p in zip(plotting.ramp(len(levels)), levels, strict=True):
        at, trained = result.density == p, result.model_density == p
        ax.scatter(result.sigma[at], result.error[at], s=9, color=tone, alpha=0.7, linewidths=0, label=f"$p$ = {p:g}")
        ax.scatter(result.model_sigma[trained], result.model_error[trained], s=26, color=plotting.colour("contrast"),
                   marker="x", linewidths=1.2, label="trained models" if p == levels[-1] else None)  # fmt: skip
    plotting.theory_line(ax, result.curve_sigma, result.curve_error, label="if normal")
    ax.set(xscale="log", xlabel="interference σ (feature values)", ylabel="balanced error", ylim=(0, None))
    plotting.legend(ax, columns=4)
    return figure


@experiment.figure(
    "selection-samples",
    title="What a gate needs in order to learn",
    caption="With all samples the linear gate errs in {rare_error:% value} of cases at the lower density, and the "
    "probe in {probe_gain:% value} fewer of the cases, on average over both densities. Drawn is the balanced error on "
    "fresh samples against the number of labelled samples, 64 features in 16 dimensions, for two densities of the "
    "other features; means over random codes.",
    alt="Two panels of error against number of samples with three falling lines. With many samples a dedicated neuron "
    "lies lowest, then the non-linear probe, then the linear gate; with few the dedicated neuron lies highest.",
    interval="95 % Student t interval of the mean over random codes",
)
def draw_samples(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.densities), width="wide", sharey=True)
    panels = list(np.atleast_1d(axes))
    for k, (ax, p) in enumerate(zip(panels, result.densities, strict=True)):
        for g, name in enumerate(GATES):
            found = [mean(errors, within=(0, 1)) for errors in result.learned[k, g]]
            low, mid, high = ([getattr(each, part) for each in found] for part in ("low", "value", "high"))
            plotting.band(ax, result.counts, low, mid, high, label=name, index=(2, 0, 1)[g], marker="o")
        plotting.theory_level(ax, result.by_density[f"{p:g}"].threshold.value, label="own direction, best threshold")
        ax.set(xscale="log", xlabel="labelled samples", title=f"others at $p$ = {p:g}", ylim=(0, 0.5))
    panels[0].set_ylabel("balanced error")
    plotting.legend(panels[0], figure=figure)
    plotting.panel_letters(panels)
    return figure


@experiment.claim(
    "selection-linear-gate",
    title="A linear layer with a threshold selects a rare feature from superposition",
    statements=("B5",),
    test="Balanced error on fresh samples of a learned linear gate, 64 features in 16 dimensions, the others with p = "
    "0.01. Statistic: mean over random codes.",
    criterion=below(0.1, refuted_above=0.25),
    figures=("selection-samples",),
    published=Verdict.MIXED,
)
def linear_gate(result: Result) -> Quantity:
    return result.rare_error


@experiment.claim(
    "selection-interference",
    title="The size of the interference alone sets the error of a threshold",
    statements=("B5",),
    test="Root mean square distance, over random codes of all sizes and densities, between the balanced error of the "
    "best threshold and the value that normal interference of the same size would give.",
    criterion=below(0.02, refuted_above=0.05),
    figures=("selection-interference",),
    published=Verdict.MIXED,
)
def distance_from_normal(result: Result) -> Quantity:
    return result.curve_distance


@experiment.claim(
    "selection-probe",
    title="A linear gate selects as well as a small non-linear probe, within two points",
    statements=("B4", "B5"),
    test="Balanced error of the linear gate less that of a probe with 32 ReLU units, both with all labelled samples, "
    "averaged over the two densities. Statistic: mean over random codes.",
    criterion=below(0.02, refuted_above=0.05),
    figures=("selection-samples",),
    published=Verdict.MIXED,
)
def lead_of_the_probe(result: Result) -> Quantity:
    return result.probe_gain


@experiment.claim(
    "selection-samples",
    title="A linear gate is learned from fewer samples than a non-linear probe",
    statements=("B4",),
    test="Labelled samples until the balanced error is within two points of the linear gate's with all samples, probe "
    "over linear gate, at p = 0.01. Statistic: median over random codes.",
    criterion=above(1, otherwise=Verdict.MIXED),
    figures=("selection-samples",),
    published=Verdict.MIXED,
)
def samples_of_the_probe(result: Result) -> Quantity:
    return result.sample_ratio
