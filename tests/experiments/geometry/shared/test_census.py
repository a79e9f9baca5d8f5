"""The census names, compares and follows shapes as it says, on curves and models whose answers are known."""

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.geometry.theory import absent_loss, crossing, pentagon, two_digons
from experiments.core.losses.exact import expected_loss
from experiments.core.metrics import norms
from experiments.geometry.shared.branches import Branch
from experiments.geometry.shared.census import CensusResult, take_census
from experiments.geometry.shared.census_claims import order_of_ranges, sudden
from experiments.geometry.shared.census_config import CensusConfig
from experiments.geometry.shared.shape_curves import Curves, best_shape, smooth, spaced, transitions

TINY = CensusConfig(
    seeds=6, features=5, p=(0.9, 0.5, 0.1), steps=500, batch=128, samples=1 << 10, judged=1, computed_points=9,
    curve_points=65, sweep_points=3, sweep_seeds=3, held_models=3, best_of=2, sweep_steps=100,
)  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return CensusResult(**take_census(TINY, "cpu"))


def straight(at, slope, height):
    """Return a curve that is linear in log p."""
    return slope * np.log(at) + height


def curves_of(p, kept):
    mass = np.arange(1.0, 1 + len(kept))[:, None] * np.ones(len(p))
    return Curves(p, [], p, kept, mass)


def test_a_transition_lies_where_two_curves_cross():
    p = np.geomspace(0.01, 0.9, 41)
    kept = np.stack([straight(p, -0.1, 1.0), straight(p, -0.5, straight(0.2, -0.1, 1.0) + 0.5 * np.log(0.2))])
    best = best_shape(kept, np.array([2, 3]), 3)[-1]
    steps = transitions(curves_of(p, kept), best)
    np.testing.assert_allclose(steps.p, [0.2], rtol=1e-9)
    assert steps.kind.tolist() == [[0, 1]]
    assert steps.mass.tolist() == [[1.0, 2.0]]


def test_transitions_go_from_common_to_rare_features():
    p = np.geomspace(0.01, 0.9, 60)
    kept = np.stack([straight(p, 1.0, 5.0), straight(p, 0.0, 3.5), straight(p, -1.0, 0.0)])
    steps = transitions(curves_of(p, kept), best_shape(kept, np.array([2, 2, 2]), 2)[-1])
    assert steps.kind.tolist() == [[0, 1], [1, 2]]
    assert (np.diff(steps.p) < 0).all()


def test_a_shape_with_more_vertices_than_features_is_never_the_optimum():
    kept = np.array([[1.0, 1.0], [2.0, np.nan]])
    assert best_shape(kept, np.array([2, 3]), 3).tolist() == [[0, 0], [1, 0]]


def test_curves_pass_through_what_was_computed_and_end_where_it_ends():
    at = np.geomspace(0.01, 1, 9)
    values = np.log(at) ** 3
    values[[0, 8]] = np.nan
    p = np.geomspace(0.01, 1, 33)
    curve = smooth(at, values, p)
    inside = (p >= at[1] - 1e-12) & (p <= at[7] + 1e-12)
    np.testing.assert_allclose(curve[inside], np.log(p[inside]) ** 3, atol=1e-9)
    assert np.isnan(curve[~inside]).all()


def test_a_branch_at_every_second_density_leaves_the_others_open():
    found = Branch(np.array([1.0, 2.0]), np.ones((2, 2, 3)), np.zeros((2, 3)))
    wide = spaced(found, 4)
    np.testing.assert_array_equal(wide.kept, [1.0, np.nan, 2.0, np.nan])
    assert wide.W.shape == (4, 2, 3)


def test_transitions_of_the_plane_are_those_of_the_exact_families(result):
    number = result.kinds.index
    step = result.steps_kind.tolist().index([number("two digons"), number("pentagon")])
    expected = crossing(two_digons(5), pentagon(5), 0.1, 0.4)
    assert result.steps_p[step] == pytest.approx(expected, rel=0.01)


def test_the_best_run_keeps_what_its_exact_loss_says(result):
    # The stored best has no bias; that it is consistent shows in the shift of the common losses.
    assert (result.kept.max(1) <= result.best_kept + 1e-9).all()
    assert (result.best_kept <= np.nanmax(result.curve_kept, 0).max() + 0.05).all()


def test_every_run_has_exactly_one_name(result):
    np.testing.assert_allclose(result.shares.sum(1), 1)


def test_pictured_shapes_are_models_of_that_shape(result):
    for kind, W in zip(result.pictured_kind, result.pictured_W, strict=True):
        live = int((norms(W) > 0.5).sum())
        expected = {"triangle": 3, "two digons": 4, "pentagon": 5}
        assert live == expected[result.kinds[kind]]


def test_the_least_loss_of_a_shape_is_what_it_keeps(result):
    """n (1 - loss / V) of the pictured optimum, with the mean as the bias of absent features, is on its curve."""
    kind = result.kinds.index("two digons")
    p = 0.5
    curve = result.curve_kept[kind, int(np.abs(result.curve_p - p).argmin())]
    W = result.pictured_W[result.pictured_kind.tolist().index(kind)]
    kept = 5 * (1 - expected_loss(W, np.full(5, p / 2), p).value / absent_loss(p))
    assert kept < curve + 1e-6  # other lengths and biases can only be worse


def test_every_field_is_filled(result):
    assert all(getattr(result, field.name) is not None for field in fields(result))


def fake(mass, held):
    """Shares that keep their shape, each 0.2 more or less."""
    middle = np.array(held)[:, :, None]
    return SimpleNamespace(steps_mass=np.array(mass), held=middle + np.array([0, -0.2, 0.2]))


def test_a_transition_is_sudden_if_mass_jumps_and_both_shapes_hold():
    found = sudden(fake([[2, 3], [3, 3.1], [3, 5], [5, 6]], [[1, 1], [1, 1], [1, 0.2], [1, 0.6]])).measured
    assert [found[name].value for name in ("sudden", "at_least", "at_most")] == [0.5, 0.25, 0.5]


def test_the_order_of_two_ranges_is_read_off_the_optimum():
    result = SimpleNamespace(
        kinds=("a", "b", "c"), optimum=np.array([[0, 0, 1, 1]]), curve_p=np.array([0.1, 0.2, 0.3, 0.4])
    )
    assert order_of_ranges(result, "b", "a") == (0.3, 0.2)
    assert order_of_ranges(result, "a", "c") is None
