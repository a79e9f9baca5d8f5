"""Correlated features: figures draw from a small run, claims follow their criteria, and what they rest on is right."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core import plotting
from experiments.core.criteria import Evidence, Verdict
from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.quantities import Quantity, exact
from experiments.correlation import (
    collapsed_pairs,
    coupled_sets,
    local_bases,
    one_pair,
    rule_elsewhere,
    strategy_boundary,
    strategy_map,
)
from experiments.correlation.shared import coupled_census
from site_builder.text.words import fill


def verdict_of(module, claim, result):
    spec = module.experiment.claims[claim]
    found = spec.decide(result)
    return spec.criterion.verdict(found if isinstance(found, Evidence) else Evidence(found=found))


SMALL = {
    collapsed_pairs: {"densities": 3, "seeds": 2, "steps": 100},
    coupled_sets: {"seeds": 4, "steps": 100, "angle_step": 45.0},
    local_bases: {"seeds": 2, "steps": 50},
    one_pair: {},
    rule_elsewhere: {"steps": 50},
    strategy_boundary: {"strengths": 2, "halvings": 4, "line_densities": 3},
    strategy_map: {"strengths": 4, "densities": 4, "seeds": 3, "steps": 100},
}


@pytest.fixture(scope="module", params=SMALL, ids=lambda module: module.__name__.rpartition(".")[2])
def case(request):
    module = request.param
    return module.experiment, module.run(replace(module.experiment.quick, **SMALL[module]), "cpu")


def test_every_figure_draws_and_every_claim_decides(case):
    experiment, result = case
    for figure in experiment.figures.values():
        with plotting.theme("dark"):
            assert figure.draw(result).axes
        assert fill(figure.caption, result, figure.id)
    for claim in experiment.claims.values():
        found = claim.decide(result)
        assert claim.criterion.verdict(found if isinstance(found, Evidence) else Evidence(found=found))
        assert claim.published is not None


@pytest.mark.parametrize(
    ("degrees", "adjacent"),
    [((0, 60, 120, 180, 240, 300), True), ((60, 0, 300, 240, 180, 120), True), ((0, 120, 60, 180, 240, 300), False)],
)
def test_partners_are_side_by_side_when_nothing_stands_between_them(degrees, adjacent):
    assert bool(coupled_census.side_by_side(at_degrees(*degrees), coupled_census.THREE)) is adjacent


def test_two_of_fifteen_pairings_of_a_hexagon_put_all_partners_side_by_side():
    generator = np.random.default_rng(0)
    order = np.argsort(generator.random((20_000, 6)), axis=-1)
    hexagons = np.moveaxis(polygon(6)[:, order], 0, 1)
    share = coupled_census.side_by_side(hexagons, coupled_census.THREE).mean()
    assert share == pytest.approx(coupled_census.CHANCE, abs=4 * np.sqrt(coupled_census.CHANCE / 20_000))


def test_what_is_expected_of_partners_depends_on_the_setting():
    together, excluding, six, _ = coupled_census.SETTINGS
    cross, opposite = at_degrees(0, 90, 180, 270), at_degrees(0, 180, 90, 270)
    assert coupled_census.stands_as_expected(cross, together)
    assert not coupled_census.stands_as_expected(cross, excluding)
    assert coupled_census.stands_as_expected(opposite, excluding)
    assert coupled_census.stands_as_expected(polygon(6), six)
    assert not coupled_census.stands_as_expected(at_degrees(0, 5, 120, 125, 240, 245), six)


def test_a_pair_at_a_right_angle_costs_nothing_and_opposites_nothing_if_they_exclude_each_other():
    together, independent, excluding = coupled_sets._angle_losses(coupled_sets.Config(), np.array([0.0, 90.0, 180.0]))
    assert max(together[1], independent[1], excluding[1], excluding[2]) < 1e-9
    assert together[0] == pytest.approx(1 / 3 - 1 / 4, rel=1e-6)  # merged, p = q


def test_opposing_unrelated_features_is_a_trap_for_sets_that_exclude_themselves():
    trap, loss = coupled_sets._local_minimum(coupled_sets.Config(densities=(0.1, 0.01)))
    assert trap.value == 1
    assert loss.value == pytest.approx(2 / 3, rel=0.01)  # two pairs of unrelated features, p^2/3 each


@pytest.mark.parametrize(
    ("share", "best", "verdict"),
    [(0.9, 1.0, Verdict.SUPPORTED), (0.5, 1.0, Verdict.MIXED), (0.9, 0.8, Verdict.REFUTED)],
)
def test_a_reproduced_arrangement_needs_the_best_models_and_most_seeds(share, best, verdict):
    found = Evidence(seeds=Quantity(share, share - 0.01, share + 0.01), best=exact(best))
    assert coupled_sets.REPRODUCED.verdict(found) == verdict


def test_the_switch_point_is_beyond_the_last_density_with_fewer_merged_pairs():
    p, counts = np.array([0.1, 0.2, 0.4, 0.8]), np.array([0, 1, 0, 1])
    assert collapsed_pairs.switch_point(p, counts, 1) == pytest.approx(np.sqrt(0.4 * 0.8))
    assert collapsed_pairs.switch_point(p, counts, 2) == 0.8
    assert collapsed_pairs.switch_point(p, counts, 0) == 0.1


def test_merged_pairs_are_counted_only_among_represented_partners():
    W = at_degrees(0, 0, 90, 90, 200, 240)
    assert collapsed_pairs.merged_pairs(W) == 2
    assert collapsed_pairs.merged_pairs(W * np.array([1, 1, 0.1, 0.1, 1, 1])) == 1


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [([0, 1, 2, 3], Verdict.SUPPORTED), ([0, 1, 0, 3], Verdict.MIXED), ([2, 2, 2, 2], Verdict.REFUTED)],
)
def test_merging_is_monotone_only_if_the_count_never_falls(counts, verdict):
    result = SimpleNamespace(optimum=np.array(counts), numbers=SimpleNamespace(switch_3=exact(0.2)))
    assert verdict_of(collapsed_pairs, "collapse-monotone", result) == verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [((0.06, 0.1, 0.3), Verdict.SUPPORTED), ((0.06, 0.1, 0.5), Verdict.MIXED), ((0.2, 0.5, 0.7), Verdict.REFUTED)],
)
def test_switch_points_agree_within_the_factor(found, verdict):
    numbers = SimpleNamespace(**{f"switch_{k + 1}": exact(at) for k, at in enumerate(found)})
    assert verdict_of(collapsed_pairs, "collapse-switches", SimpleNamespace(numbers=numbers)) == verdict


def test_local_bases_are_measured_without_the_diagonal():
    basis = np.eye(10)
    within, across = local_bases._entries(np.concatenate([basis, -basis], axis=1))
    assert within == 0
    assert across == pytest.approx(np.sqrt(0.1))
    assert local_bases._opposed(np.concatenate([basis, -basis], axis=1)) == 1
    assert local_bases._opposed(np.concatenate([basis, np.roll(basis, 1, 1)], axis=1)) == 0


@pytest.mark.parametrize(
    ("jumps", "verdict"),
    [((1.0, 0.9), Verdict.SUPPORTED), ((1.0, 0.1), Verdict.MIXED), ((0.1, 0.2), Verdict.REFUTED)],
)
def test_a_jump_everywhere_is_needed_for_support(jumps, verdict):
    above = np.array(jumps)[:, None]
    result = SimpleNamespace(
        edge_above=above,
        edge_below=np.zeros((2, 1)),
        edge=np.full((2, 1), 0.3),
        boundary={"2": SimpleNamespace(jump_least=exact(1.0))},
    )
    assert verdict_of(strategy_boundary, "strategy-jump", result) == verdict


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.95, Verdict.SUPPORTED), (0.8, Verdict.MIXED), (0.5, Verdict.REFUTED)]
)
def test_the_rule_is_graded_by_its_share_of_cells(share, verdict):
    for module, claim in ((strategy_map, "strategy-rule"), (one_pair, "one-pair-closed-form")):
        assert module.experiment.claims[claim].criterion.verdict(Evidence(found=exact(share))) == verdict
