"""The experiments on this report's own models: small runs draw and decide, and their helpers meet oracles."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.autoencoders import levels, polygons, recovery
from experiments.autoencoders.shared.own_models import Worlds
from experiments.autoencoders.shared.read_outs import best_f1
from experiments.core import plotting
from experiments.core.autoencoders.sources import Superposed
from experiments.core.autoencoders.specification import Specification, grid
from experiments.core.autoencoders.state import first_state
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import exact, mean, share
from experiments.core.training.specification import Weights

SMALL = {
    polygons: {"steps": 60, "model_steps": 400},
    recovery: {"steps": 20, "wide_steps": 20, "model_steps": 100, "samples": 512, "coded_samples": 64},
    levels: {"steps": 20, "model_steps": 100, "samples": 512},
}


@pytest.fixture(scope="module", params=SMALL, ids=lambda module: module.__name__.rpartition(".")[2])
def case(request):
    experiment = request.param.experiment
    return experiment, experiment.compute(replace(experiment.quick, **SMALL[request.param]), "cpu")


def test_every_figure_draws_from_a_small_run_in_both_themes(case):
    experiment, result = case
    named = vars(result) | {"numbers": SimpleNamespace(**result.numbers)}
    for figure in experiment.figures.values():
        for theme in ("light", "dark"):
            with plotting.theme(theme):
                assert figure.draw(result).axes
        assert figure.caption.format(**named)


def test_every_claim_decides(case):
    experiment, result = case
    for claim in experiment.claims.values():
        found = claim.decide(result)
        evidence = found if isinstance(found, Evidence) else Evidence(statistic=found)
        assert claim.criterion.verdict(evidence) in Verdict


def test_shares_are_shares(case):
    _, result = case
    assert result.found.min() >= 0
    assert result.found.max() <= 1


def quantities(*values):
    return tuple(mean([value, value]) for value in values)


def verdict_of(module, claim, **evidence):
    return module.experiment.claims[claim].criterion.verdict(Evidence(**evidence))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.95, 0.92), Verdict.SUPPORTED), ((0.95, 0.8), Verdict.MIXED), ((0.8, 0.7), Verdict.REFUTED)],
)
def test_all_variants_must_be_above_the_level(values, verdict):
    evidence = recovery.found_by_every_variant(SimpleNamespace(found_by_kind=quantities(*values)))
    assert recovery.experiment.claims["sae-finds-features"].criterion.verdict(evidence) == verdict
    assert evidence.statistic.value == pytest.approx(min(values))
    found = quantities(*values)
    assert verdict_of(polygons, "sae-polygon-found", lowest=found[0], found=found) == verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((-0.2, -0.1), Verdict.SUPPORTED), ((0.2, 0.1), Verdict.REFUTED), ((-1.0, 1.0), Verdict.INCONCLUSIVE)],
)
def test_a_fall_with_density_is_a_negative_change(values, verdict):
    change = mean(np.repeat(values, 20))
    assert verdict_of(recovery, "sae-density", change=change) == verdict


def test_better_than_the_truth_needs_more_than_half_of_the_models():
    assert verdict_of(levels, "sae-better-than-truth", better=share([True] * 5)) == Verdict.SUPPORTED
    assert verdict_of(levels, "sae-better-than-truth", better=share([True, False])) == Verdict.MIXED


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [((0.3, 0.4), Verdict.SUPPORTED), ((-0.3, -0.1), Verdict.REFUTED), ((0.1, 0.3), Verdict.MIXED)],
)
def test_antipodes_hide_features_only_if_recall_falls_enough(bounds, verdict):
    loss = replace(exact(np.mean(bounds)), low=bounds[0], high=bounds[1])
    assert verdict_of(polygons, "sae-antipodal", loss=loss) == verdict


def test_antipodal_pairs_are_found_among_represented_features_only():
    directions = np.array([[1, 0], [-1, 0.05], [0, 1], [0, -0.1]], dtype=np.float32)
    pairs = polygons._pairs(directions, np.array([True, True, True, False]))
    assert pairs.tolist() == [[0, 1], [1, 0]]


def test_the_true_dictionary_becomes_decoder_and_encoder():
    source = Superposed(np.diag([2.0, 0.0, 1.0]).astype(np.float32), 0.1)
    specification = Specification(grid(("topk",), (3,), (1,), (0,)))
    state = first_state((source,), specification)
    before = state.named.W_dec[0, 1].copy()
    levels._use(state, 0, source.directions)
    assert state.named.W_dec[0].tolist() == [[1, 0, 0], before.tolist(), [0, 0, 1]]
    assert np.array_equal(state.named.W_enc[0, ::2], state.named.W_dec[0, ::2])


def test_an_antipodal_pair_counts_once():
    """Two opposed features at p = 1/2 show as something in three of four samples, a single one in half of them."""
    W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    weights = Weights(W[None], np.zeros((1, 3), np.float32))
    worlds = Worlds(weights, [Superposed(W, 0.5)], np.ones((1, 3), bool), 0.5)
    assert levels._apart(worlds, 0) == pytest.approx(0.75 + 0.5)


def test_best_reconstruction_agrees_where_it_finds_as_many_as_any():
    explained = np.array([[[0.1, 0.9], [0.8, 0.2]]])  # (width, k, seed)
    found = np.array([[[0.5, 0.3], [0.5, 0.9]]])
    assert levels._agree(found, explained).tolist() == [True, False]


def test_the_best_threshold_of_a_perfect_read_out_has_an_f1_of_one():
    W = np.eye(3, dtype=np.float32)
    worlds = Worlds(Weights(W[None], np.zeros((1, 3), np.float32)), [Superposed(W, 0.3)], np.ones((1, 3), bool), 0.3)
    batch = worlds.sources[0].draw(np.random.default_rng(0), 500)
    assert best_f1(worlds, 0, batch) == 1
