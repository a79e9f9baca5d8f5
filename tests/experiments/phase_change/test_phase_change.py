"""Both diagrams: figures that draw from a small run, and claims that follow their criteria."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from experiments.core import plotting
from experiments.core.contract import Verdict
from experiments.core.quantities import exact
from experiments.phase_change import one_dimension, two_dimensions

SMALL = {"ratios": 4, "densities": 5, "models": 3, "line_densities": 8, "line_models": 2, "steps": 200, "batch": 32}


def small_run(module):
    return module.run(replace(module.experiment.quick, starts=2, halvings=3, **SMALL), "cpu")


@pytest.fixture(scope="module", params=[one_dimension, two_dimensions], ids=lambda module: module.__name__)
def case(request):
    return request.param.experiment, small_run(request.param)


@pytest.fixture(scope="module")
def two_features():
    return small_run(one_dimension)


def test_every_figure_draws_from_a_small_run_in_both_themes(case):
    experiment, result = case
    for figure in experiment.figures.values():
        for theme in ("light", "dark"):
            with plotting.theme(theme):
                assert figure.draw(result).axes
        assert figure.caption.format(numbers=SimpleNamespace(**result.numbers))


def test_every_claim_decides(case):
    experiment, result = case
    for claim in experiment.claims.values():
        assert isinstance(claim.decide(result).verdict, Verdict)
        assert claim.published is not None


def with_numbers(result, **values):
    return replace(result, numbers=result.numbers | {name: exact(value) for name, value in values.items()})


@pytest.mark.parametrize(
    ("jump", "coexistence", "verdict"),
    [(0.7, 0.1, Verdict.SUPPORTED), (0.7, 0.0, Verdict.MIXED), (0.05, 0.1, Verdict.REFUTED)],
)
def test_a_first_order_change_needs_a_jump_and_two_minima(two_features, jump, coexistence, verdict):
    changed = with_numbers(two_features, line_exact_jump=jump, coexistence=coexistence)
    assert one_dimension.decide_first_order(changed).verdict == verdict


@pytest.mark.parametrize(
    ("trained", "optimum", "verdict"),
    [(0.05, 0.05, Verdict.SUPPORTED), (0.05, 0.0, Verdict.MIXED), (0.0, 0.0, Verdict.REFUTED)],
)
def test_the_confused_phase_is_refuted_only_if_neither_way_finds_it(two_features, trained, optimum, verdict):
    changed = with_numbers(two_features, best_confused=trained, optimum_confused=optimum)
    assert one_dimension.decide_confused_with_bias(changed).verdict == verdict
