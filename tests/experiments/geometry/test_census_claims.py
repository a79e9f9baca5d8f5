"""The verdicts of both censuses follow their criteria."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity, exact
from experiments.geometry import plane, space


def interval(low, high):
    return Quantity((low + high) / 2, low, high, 256)


def verdict_of(module, claim, result):
    spec = module.experiment.claims[claim]
    found = spec.decide(result)
    return spec.criterion.verdict(found if isinstance(found, Evidence) else Evidence(found=found))


def shapes(**most):
    return {name: SimpleNamespace(most=found, densest=interval(0, 0.02)) for name, found in most.items()}


def result(
    best, shape=None, kinds=("two digons", "pentagon", "octahedron", "square antiprism", "tetrahedron"), **numbers
):
    """A result whose optimum runs through the named shapes from common to rare features."""
    points = np.array([[kinds.index(name) for name in best[::-1]]])
    return SimpleNamespace(
        kinds=kinds, optimum=points, curve_p=np.linspace(0.1, 0.9, len(best)), shape=shape,
        numbers=SimpleNamespace(**numbers), steps_mass=np.array([[2.0, 4.0], [4.0, 4.1]]), held=np.ones((2, 2, 3)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("most", "densest", "verdict"),
    [
        (interval(0.6, 0.8), interval(0, 0.02), Verdict.SUPPORTED),
        (interval(0.2, 0.4), interval(0, 0.02), Verdict.REFUTED),
        (interval(0.6, 0.8), interval(0.2, 0.3), Verdict.MIXED),
        (interval(0.4, 0.6), interval(0, 0.02), Verdict.MIXED),
    ],
)
def test_pairs_must_be_frequent_and_absent_among_common_features(most, densest, verdict):
    for module, kind in ((plane, "two_digons"), (space, "octahedron")):
        found = result([], {kind: SimpleNamespace(most=most, densest=densest)})
        assert verdict_of(module, f"{module.__name__.rpartition('.')[2]}-antipodal", found) == verdict


@pytest.mark.parametrize(
    ("best", "most", "verdict"),
    [
        (["two digons", "pentagon"], interval(0.6, 0.8), Verdict.SUPPORTED),
        (["two digons", "pentagon"], interval(0.2, 0.4), Verdict.MIXED),
        (["pentagon", "two digons"], interval(0.6, 0.8), Verdict.MIXED),
        (["two digons", "two digons"], interval(0.6, 0.8), Verdict.REFUTED),
    ],
)
def test_the_pentagon_must_follow_the_digons(best, most, verdict):
    assert verdict_of(plane, "plane-pentagon", result(best, shapes(pentagon=most))) == verdict


@pytest.mark.parametrize(
    ("best", "verdict"),
    [
        (["tetrahedron", "octahedron"], Verdict.REFUTED),
        (["octahedron", "tetrahedron"], Verdict.SUPPORTED),
        (["octahedron", "octahedron"], Verdict.REFUTED),
    ],
)
def test_the_tetrahedron_must_follow_the_octahedron(best, verdict):
    assert verdict_of(space, "space-tetrahedron", result(best, shapes(tetrahedron=interval(0, 0.1)))) == verdict


def test_the_antiprism_must_follow_the_octahedron():
    found = shapes(square_antiprism=interval(0.6, 0.8))
    assert verdict_of(space, "space-antiprism", result(["octahedron", "square antiprism"], found)) == Verdict.SUPPORTED
    assert verdict_of(space, "space-antiprism", result(["octahedron"], found)) == Verdict.REFUTED


@pytest.mark.parametrize("module", [plane, space])
def test_one_of_two_jumps_is_mixed(module):
    name = module.__name__.rpartition(".")[2]
    assert verdict_of(module, f"{name}-sudden", result([])) == Verdict.MIXED


@pytest.mark.parametrize(("lead", "verdict"), [(0.005, Verdict.SUPPORTED), (0.05, Verdict.REFUTED)])
def test_a_lead_refutes_the_list_of_shapes(lead, verdict):
    for module in (plane, space):
        name = module.__name__.rpartition(".")[2]
        assert verdict_of(module, f"{name}-nothing-better", result([], ahead=exact(lead))) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.92, 1.0, Verdict.SUPPORTED),
        (0.55, 0.7, Verdict.MIXED),
        (0.1, 0.3, Verdict.REFUTED),
        (0.4, 0.6, Verdict.INCONCLUSIVE),
    ],
)
def test_the_best_runs_must_have_the_best_shape(low, high, verdict):
    for module in (plane, space):
        name = module.__name__.rpartition(".")[2]
        assert verdict_of(module, f"{name}-best-is-optimum", result([], best_is_optimum=interval(low, high))) == verdict
