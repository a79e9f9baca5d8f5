"""Splitting experiments: the criteria decide as they say, and everything runs and draws at a small size."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.autoencoders import split_remedies, split_variants, splitting
from experiments.core import plotting
from experiments.core.contract import Verdict
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


def verdict(decide, result, **numbers):
    return decide(replace(result, numbers=result.numbers | numbers)).verdict


def test_rising_needs_both_ends_and_both_tests(tiny):
    good = {
        "information_clustered_one": exact(0.01),
        "information_clustered_leaf": between(0.75, 0.85),
        "p_clustered": exact(0.0005),
        "trend_p": exact(1e-6),
    }
    decide = splitting.decide_rises
    assert verdict(decide, tiny, **good) == Verdict.SUPPORTED
    assert verdict(decide, tiny, **good | {"information_clustered_one": exact(0.2)}) == Verdict.MIXED
    assert verdict(decide, tiny, **good | {"p_clustered": exact(0.01)}) == Verdict.MIXED
    assert verdict(decide, tiny, **good | {"information_clustered_leaf": between(0.1, 0.2)}) == Verdict.REFUTED


def test_a_lineage_with_false_edges_is_not_supported(tiny):
    numbers = {f"found_clustered_{splitting.CONTAINMENT}": exact(0.97)}
    numbers |= {f"false_{name}_{splitting.CONTAINMENT}": exact(0.01) for name in ("clustered", "flat")}
    assert verdict(splitting.decide_lineage, tiny, **numbers) == Verdict.SUPPORTED
    assert verdict(splitting.decide_lineage, tiny, **numbers | {"false_flat_0.8": exact(0.1)}) == Verdict.MIXED
    assert verdict(splitting.decide_lineage, tiny, **numbers | {"false_flat_0.8": exact(0.4)}) == Verdict.REFUTED


def test_every_claim_of_a_tiny_run_has_a_verdict_and_every_count_adds_up(tiny):
    assert all(claim.decide(tiny).verdict in Verdict for claim in splitting.experiment.claims.values())
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
    assert all(claim.decide(result).verdict in Verdict for claim in module.experiment.claims.values())
    assert np.all((result.information >= 0) & (result.information <= 1))
