"""Many equally important features in few dimensions: what do they share dimensions in? Statement C7.

Elhage et al. 2022, "The geometry of superposition": dimensions per feature stick at 1 and 1/2, feature
dimensionalities cluster at fractions, and the interference graph falls into components, the factors of a tegum
product. Each seed trains its own densities, so that all together cover the axis finely; each density then has a model
of one seed, and intervals come from resampling seeds. Beside it, without training: the brick that gains most.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    FewerThan,
    Some,
    Verdict,
    above,
    at_least,
    below,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity
from experiments.uniform.shared import uniform_figures
from experiments.uniform.shared.uniform_results import TABULATED, UniformResult, measured
from experiments.uniform.shared.uniform_sweep import UniformConfig

SOURCE = 'Toy Models of Superposition, "The geometry of superposition"'

CLUSTERS = Criterion(
    supported_if(where(peaks=Every(each=Above(2), of="fraction"), chance=Every(each=Below(2), of="fraction"))),
    refuted_if(where(peaks=FewerThan(3, each=Above(2), of="fractions"))),
    otherwise=Verdict.MIXED,
    names={"peaks": "the density ratio", "chance": "the density ratio of random directions"},
)
"""Dimensionalities cluster at all five fractions, and those of random directions do not."""

CLOSE = 0.01
"""A kind of component is a tegum factor when its mean dimensionality is within this of rank over size."""


@dataclass(frozen=True)
class Config(UniformConfig):
    """Defaults are the published run."""


@dataclass(frozen=True)
class Result(UniformResult):
    """Fields as in `UniformResult`."""


experiment = Experiment(
    __name__,
    title="Many features in few dimensions",
    config=Config(),
    quick=Config(
        seeds=2,
        features=48,
        hidden=8,
        densities=8,
        steps=(1500, 1000),
        learning_rate=(5e-3, 1e-2),
        checked_seeds=1,
        evaluation_samples=1 << 12,
        bricks=("dedicated", "triangle", "digon", "pentagon"),
        brick_points=6,
        resamples=100,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**vars(measured(config, device)))


@experiment.figure(
    "uniform-stickiness",
    title="Dimensions per feature, and the brick that gains most",
    caption=(
        "Dimensions per feature stay near 1/2 over {numbers.plateau_half} of $1/p$, where pairs are the best brick: "
        "by computation from $1/p$ = {numbers.brick_to_digons:.2f} to {numbers.brick_from_digons:.2f}. (a) "
        "Dimensions per feature $D^*$ of {numbers.models:.0f} models, each at a density of its own; dashed, the "
        "brick with the highest gain, computed without training. (b) Loss saved per dimension, 1 for a dedicated "
        "one: trained models (dots) and bricks (lines). Near p = 1 sharing gains almost nothing, and training "
        "leaves D* at 1 for longer than the best brick."
    ),
    alt="Left, dots fall from one to a long shelf at one half and on from there; a dashed staircase of the best brick "
    "runs along them. Right, gain per dimension rises; dots lie a little below the upper envelope of the lines of the "
    "bricks at first, on it where pairs are best, and above it at the end.",
)
def draw_stickiness(result: Result) -> Figure:
    return uniform_figures.draw_stickiness(result)


@experiment.figure(
    "uniform-dimensionality",
    title="The dimensionality of every feature",
    caption=(
        "One half is a sharp cluster, {peaks.1_2:.0f} times as dense as the gaps; at 2/5 ({peaks.2_5:.1f}) and "
        "3/8 ({peaks.3_8:.1f}) there is no clear excess. (a) Dimensionality $D_i$ of every represented feature "
        "of every model. (b) Their smooth density, one weight per seed, with overlaps of all features or of "
        "represented ones only; dotted, random directions with the same norms. At 2/3 the ratio is "
        "{peaks.2_3:.1f}, and {kept_peaks.2_3:.0f} when overlaps with unrepresented features are left out."
    ),
    alt="Left, dots over rarity: a cloud near the lower edge where features are common, then a small one between 2/3 "
    "and 3/4, then a long line at one half, then a falling band that crosses 2/5 and 3/8. "
    "Right, a sideways density with one tall peak at one half and a broad dotted null below.",
    interval="none in the picture; peaks are quoted with 95 % percentile bootstrap over seeds",
)
def draw_dimensionality(result: Result) -> Figure:
    return uniform_figures.draw_dimensionality(result)


@experiment.figure(
    "uniform-graphs",
    title="Interference graphs as features become rarer",
    caption=(
        "Dedicated features and triangles give way to antipodal pairs, then pentagons appear among the pairs, "
        "then square antiprisms; at last everything is linked. One model at each rarity: represented features as "
        "points, linked where |cos| exceeds 0.2 (negative and positive in two colours), components side by side."
    ),
    alt="Six graphs: single points with small triangles; sticks and points; only sticks; sticks and pentagons; "
    "pentagons and eight-cornered clusters; one tangle.",
)
def draw_graphs(result: Result) -> Figure:
    return uniform_figures.draw_graphs(result)


@experiment.figure(
    "uniform-islands",
    title="Islands while superposition sets in, then a continent",
    caption=(
        "While superposition sets in, {numbers.onset_wide:% value} of the represented features are in small "
        "islands, by chance {numbers.onset_null:% value}; beyond $1/p$ = 7, {numbers.rare:% value}. (a) Share of "
        "represented features in each kind of component (|cos| above 0.2), models pooled in bins of rarity. (b) "
        "Share in small islands, of up to 8 features, at three thresholds for an edge; dotted, random "
        "directions. Nearest to p = 1, where the solution is free to rotate, components are large too."
    ),
    alt="Left, stacked areas over rarity: larger components and single features, then pairs fill everything, then "
    "pentagons and antiprisms, then larger components. Right, curves of the share in small islands rise to one and "
    "fall to zero, while chance stays at zero.",
)
def draw_islands(result: Result) -> Figure:
    return uniform_figures.draw_islands(result)


@experiment.figure(
    "uniform-census",
    title="Kinds of components, and the share of a dimension that their features have",
    caption=(
        "Features of digons, triangles and pentagons have a little less than their ideal share of a dimension. "
        "Kinds of components of two to eight features found at least twice: mean dimensionality of their "
        "features, beside rank over size, the share in a tegum factor with equal features. Found were "
        "{found.2_in_1:.0f} digons, {found.3_in_2:.0f} triangles, {found.5_in_2:.0f} pentagons, "
        "{found.8_in_3:.0f} groups of eight in three dimensions and {found.4_in_3:.0f} tetrahedra. Groups of as "
        "many features as dimensions (at 1) are far below the line."
    ),
    alt="A dot for each kind of component against rank over size; the commonest lie just below the diagonal, those "
    "at 1 far below it.",
)
def draw_census(result: Result) -> Figure:
    return uniform_figures.draw_census(result)


@experiment.claim(
    "uniform-plateau-half",
    title="Dimensions per feature stick at one half",
    source=SOURCE,
    test="Decades of 1/p over which D* of trained models lies within 0.04 of one half.",
    criterion=above(0.2, label="0.2 decades"),
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def plateau_at_half(result: Result) -> Quantity:
    return result.numbers.plateau_half


@experiment.claim(
    "uniform-plateau-flat",
    title="On the plateau D* falls at least four times more slowly than elsewhere",
    source=SOURCE,
    test="Median size of the local slope of D* over log 1/p on the plateau at one half, over that outside both "
    "plateaus.",
    criterion=below(0.25, label="one quarter"),
    figures=("uniform-stickiness",),
    published=Verdict.REFUTED,
)
def flatness(result: Result) -> Quantity:
    return result.numbers.flatness


@experiment.claim(
    "uniform-plateau-one",
    title="Trained models stick at one dimension per feature",
    source=SOURCE,
    test="Decades of 1/p, from 1 on, with D* above 0.97 in trained models.",
    criterion=above(0.1, label="0.1 decades"),
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def plateau_at_one(result: Result) -> Quantity:
    return result.numbers.plateau_one


@experiment.claim(
    "uniform-plateau-one-best",
    title="The plateau at one is a property of the best solution",
    test="Decades of 1/p, from 1 on, with D* above 0.97 for the best brick, against the width found in training.",
    criterion=Criterion(
        supported_if(where(share=Above(0.5, label="one half"))),
        refuted_if(where(share=Below(0.5, label="one half"))),
        names={"share": "the width for the best brick over that in training"},
    ),
    figures=("uniform-stickiness",),
    published=Verdict.REFUTED,
)
def plateau_of_the_best_brick(result: Result) -> Evidence:
    brick, trained = result.numbers.brick_plateau_one, result.numbers.plateau_one
    assert trained.low is not None
    assert trained.high is not None
    share = Quantity(
        brick.value / trained.value, brick.value / trained.high, brick.value / max(trained.low, 1e-9), trained.n,
        method="exact width over the interval of the trained one",
    )  # fmt: skip
    return Evidence(width=brick, share=share)


@experiment.claim(
    "uniform-bricks",
    title="The brick that gains most per dimension says where the plateau begins and ends",
    test="1/p at which D* of trained models falls through 0.75 and 0.45, against where digons become the best brick "
    "and stop being it. Statistic: the larger of the two ratios, trained over computed or the reverse.",
    criterion=below(1.15, refuted_above=1.3),
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def switch_factor(result: Result) -> Quantity:
    return result.numbers.switch_factor


@experiment.claim(
    "uniform-peaks",
    title="Feature dimensionalities cluster at 3/4, 2/3, 1/2, 2/5 and 3/8",
    source=SOURCE,
    test="Dimensionalities of all features with squared norm above 0.1. For each fraction: density within 0.01 of it "
    "over the density in the middle thirds of the two adjacent gaps, bootstrap over seeds; the same for random "
    "directions. Statistic: fractions with an interval above 2.",
    criterion=CLUSTERS,
    figures=("uniform-dimensionality",),
    published=Verdict.REFUTED,
)
def clusters(result: Result) -> Evidence:
    return _clusters(result.peaks, result.null_peaks)


def _clusters(peaks: dict[str, Quantity], chance: dict[str, Quantity]) -> Evidence:
    found = tuple(peaks.values())
    hits = sum(one.low is not None and one.low > 2 for one in found)
    share = Quantity(hits / len(found), n=len(found), method="bootstrap over seeds for each fraction")
    return Evidence(hits=share, peaks=found, chance=tuple(chance.values()))


@experiment.claim(
    "uniform-peaks-kept",
    title="Dimensionalities among represented features alone cluster at the same fractions",
    test="As for all overlaps, but with the columns of features that are not represented set to 0 first.",
    criterion=CLUSTERS,
    figures=("uniform-dimensionality",),
    published=Verdict.REFUTED,
)
def clusters_among_represented(result: Result) -> Evidence:
    return _clusters(result.kept_peaks, result.null_peaks)


@experiment.claim(
    "uniform-bipyramids",
    title="Bipyramids split: features do not gather at 3/5 or 3/7",
    source=SOURCE,
    test="Density of dimensionalities within 0.01 of 3/5 and of 3/7 over the density just beside, bootstrap over "
    "seeds. Statistic: the larger of the two.",
    criterion=Criterion(
        supported_if(where(split=Every(each=Below(1.2), of="fraction"))),
        refuted_if(where(split=Some(each=Above(1.2), of="fraction"))),
        names={"split": "the density ratio"},
    ),
    figures=("uniform-dimensionality",),
    published=Verdict.INCONCLUSIVE,
)
def undivided_bipyramids(result: Result) -> Evidence:
    found = tuple(result.split.values())
    return Evidence(largest=max(found, key=lambda one: one.value), split=found)


@experiment.claim(
    "uniform-saturation",
    title="Dimensionalities add up to the number of dimensions",
    source=SOURCE,
    test="Sum of D_i over all features divided by the number of dimensions, in models with D* below 0.9. Statistic: "
    "share of models, each one training from a start of its own, with a sum between 0.97 and 1.",
    criterion=above(0.9),
    figures=("uniform-dimensionality",),
    published=Verdict.SUPPORTED,
)
def saturation(result: Result) -> Quantity:
    return result.numbers.saturated


@experiment.claim(
    "uniform-islands-first",
    title="With many features, superposition begins in small islands",
    statements=("C7",),
    source=SOURCE,
    test="Models in which superposition has set in and the plateau of pairs is not reached, D* between 0.55 and 0.9. "
    "Share of represented features in connected components of up to 8 features (edges where |cos| exceeds 0.2), and "
    "the same for random directions. Statistic: mean over seeds.",
    criterion=Criterion(
        supported_if(where(islands=Above(0.5, label="one half"), chance=Below(0.1))),
        refuted_if(where(islands=Below(0.5, label="one half"))),
        names={"islands": "the share in small islands", "chance": "that of random directions"},
    ),
    figures=("uniform-islands", "uniform-graphs"),
    published=Verdict.SUPPORTED,
)
def islands_at_the_onset(result: Result) -> Evidence:
    return Evidence(islands=result.numbers.onset_wide, chance=result.numbers.onset_null)


@experiment.claim(
    "uniform-tegum",
    title="Components are tegum factors: digons, triangles, pentagons, tetrahedra, antiprisms",
    source=SOURCE,
    test="Components (|cos| above 0.2) of 2 features in 1 dimension, 3 in 2, 5 in 2, 4 in 3 and 8 in 3 over all "
    "models, and the mean dimensionality of their features against rank over size. Statistic: share of the five "
    "kinds that are present and within 0.01.",
    criterion=at_least(1, few=0.4),
    figures=("uniform-census", "uniform-graphs"),
    published=Verdict.REFUTED,
)
def tegum_factors(result: Result) -> Quantity:
    kinds = zip(result.census_size.tolist(), result.census_rank.tolist(), strict=True)
    means = dict(zip(kinds, result.census_mean.tolist(), strict=True))
    hits = [abs(means.get(kind, float("inf")) - kind[1] / kind[0]) < CLOSE for kind in TABULATED]
    return Quantity(sum(hits) / len(hits), n=len(hits), method="count over the five kinds")
