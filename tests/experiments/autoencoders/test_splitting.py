"""Splitting experiments: the criteria decide as they say, and everything runs and draws at a small size."""

import numpy as np
import pytest

from experiments.autoencoders import split_remedies, split_variants, splitting
from experiments.core import plotting
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity, exact
from site_builder.figures.plotted_data import extract

TINY = {
    "seeds": 2,
    "clusters": 3,
    "leaves": 4,
    "hidden": 16,
    "true_l0": 1.0,
    "steps": 200,
    "batch": 64,
    "samples": 1500,
}


@pytest.fixture(scope="module")
def tiny():
    config = splitting.Config(**TINY, ratios=(1, 2, 4), draws=19, many_draws=49, probe=3, pictured=2)
    return splitting.run(config, "cpu")


def between(low, high):
    return Quantity((low + high) / 2, low, high, 5)


def verdict(claim, **evidence):
    return splitting.experiment.claims[claim].criterion.verdict(Evidence(**evidence))


def of_result(claim, result):
    found = claim.decide(result)
    return claim.criterion.verdict(found if isinstance(found, Evidence) else Evidence(statistic=found))


def test_rising_needs_both_ends_and_both_tests():
    good = {"end": between(0.75, 0.85), "start": between(0.01, 0.02), "largest_p": exact(0.0005), "trend": exact(1e-6)}
    assert verdict("splitting-rises", **good) == Verdict.SUPPORTED
    assert verdict("splitting-rises", **good | {"start": between(0.1, 0.2)}) == Verdict.MIXED
    assert verdict("splitting-rises", **good | {"largest_p": exact(0.01)}) == Verdict.MIXED
    assert verdict("splitting-rises", **good | {"end": between(0.1, 0.2)}) == Verdict.REFUTED


def test_a_lineage_with_false_edges_is_not_supported():
    good = {"found": exact(0.97), "false": exact(0.01), "false_in_flat": exact(0.01)}
    assert verdict("splitting-lineage", **good) == Verdict.SUPPORTED
    assert verdict("splitting-lineage", **good | {"false_in_flat": exact(0.1)}) == Verdict.MIXED
    assert verdict("splitting-lineage", **good | {"false_in_flat": exact(0.4)}) == Verdict.REFUTED


def test_every_claim_of_a_tiny_run_has_a_verdict_and_every_count_adds_up(tiny):
    assert all(of_result(claim, tiny) in Verdict for claim in splitting.experiment.claims.values())
    assert np.all(tiny.origins.sum(-1) <= tiny.widths[1:, None])
    assert np.all(tiny.fates.sum(-1) <= tiny.widths[:-1, None])
    assert np.all(tiny.information[list(tiny.worlds).index("undivided")] < 0.1)  # the plug-in bias of few events


def test_every_figure_of_a_tiny_run_draws_and_its_data_can_be_read(tiny):
    for figure in splitting.experiment.figures.values():
        with plotting.theme("dark"):
            assert extract(figure.draw(tiny))


@pytest.mark.parametrize("module", [split_remedies, split_variants])
def test_the_other_ladders_run_and_decide(module):
    result = module.run(module.Config(**TINY, ratios=(1, 4)), "cpu")
    assert all(of_result(claim, result) in Verdict for claim in module.experiment.claims.values())
    assert np.all((result.information >= 0) & (result.information <= 1))
