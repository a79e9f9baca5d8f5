"""Both diagrams: figures that draw from a small run, and claims that follow their criteria."""

from dataclasses import replace

import pytest

from experiments.core import plotting
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import exact
from experiments.phase_change import one_dimension, two_dimensions

SMALL = {"ratios": 4, "densities": 5, "models": 3, "line_densities": 8, "line_models": 2, "steps": 200, "batch": 32}


def small_run(module):
    return module.run(replace(module.experiment.quick, starts=2, halvings=3, **SMALL), "cpu")


@pytest.fixture(scope="module", params=[one_dimension, two_dimensions], ids=lambda module: module.__name__)
def case(request):
    return request.param.experiment, small_run(request.param)


def test_every_figure_draws_from_a_small_run_in_both_themes(case):
    experiment, result = case
    for figure in experiment.figures.values():
        for theme in ("light", "dark"):
            with plotting.theme(theme):
                assert figure.draw(result).axes
        assert figure.caption.format(numbers=result.numbers)


def test_every_claim_decides(case):
    experiment, result = case
    for claim in experiment.claims.values():
        found = claim.decide(result)
        evidence = found if isinstance(found, Evidence) else Evidence(found=found)
        assert claim.criterion.verdict(evidence) in Verdict
        assert claim.published is not None


@pytest.mark.parametrize(
    ("jump", "coexistence", "verdict"),
    [(0.7, 0.1, Verdict.SUPPORTED), (0.7, 0.0, Verdict.MIXED), (0.05, 0.1, Verdict.REFUTED)],
)
def test_a_first_order_change_needs_a_jump_and_two_minima(jump, coexistence, verdict):
    found = Evidence(difference=exact(jump), coexistence=exact(coexistence))
    assert one_dimension.experiment.claims["phase-two-first-order"].criterion.verdict(found) is verdict


@pytest.mark.parametrize(
    ("trained", "optimum", "verdict"),
    [(0.05, 0.05, Verdict.SUPPORTED), (0.05, 0.0, Verdict.MIXED), (0.0, 0.0, Verdict.REFUTED)],
)
def test_the_confused_phase_is_refuted_only_if_neither_way_finds_it(trained, optimum, verdict):
    found = Evidence(trained=exact(trained), exact=exact(optimum))
    assert one_dimension.experiment.claims["phase-two-confused-with-bias"].criterion.verdict(found) is verdict
