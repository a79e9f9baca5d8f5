"""Failure modes: derivations against numerical minima, and every experiment at a small size."""

import numpy as np
import pytest
from scipy.optimize import minimize

from experiments.autoencoders import (
    failure_absorption,
    failure_composition,
    failure_hedging,
    failure_random,
    failure_seeds,
    failure_shrinkage,
    failure_wrong_l0,
)
from experiments.core.criteria import Evidence, Verdict
from experiments.core.synthetic_data import family, unrelated

SMALL = {
    failure_absorption: {"clusters": 3, "hidden": 14, "true_l0": 1.0, "shares": (0.63, 1.0), "steps": 60},
    failure_composition: {"pairs": 3, "correlations": (0.0, 0.9), "steps": 60},
    failure_hedging: {"children": (0.2, 0.6), "steps": 60},
    failure_random: {"clusters": 3, "leaves": 3, "hidden": 8, "true_l0": 1.0, "steps": 60, "samples": 2000},
    failure_seeds: {"clusters": 3, "leaves": 2, "hidden": 10, "true_l0": 1.0, "ratios": (1, 2, 4), "steps": 60},
    failure_shrinkage: {"features": 6, "density": 0.2, "penalties": (0.2,), "steps": 400},
    failure_wrong_l0: {"features": 8, "actives": (1, 2, 3), "steps": 60},
}


@pytest.mark.parametrize("module", SMALL, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_failure_runs_small_and_its_claim_has_a_verdict(module):
    result = module.run(module.Config(seeds=2, batch=64, **SMALL[module]), "cpu")
    for claim in module.experiment.claims.values():
        found = claim.decide(result)
        evidence = found if isinstance(found, Evidence) else Evidence(statistic=found)
        assert claim.criterion.verdict(evidence) in Verdict


@pytest.mark.parametrize("given", [0.15, 0.5, 0.9])
def test_a_hedging_latent_at_its_numerical_minimum_is_the_first_principal_component(given):
    """Minimise the error over w and b where the latent answers best when on, and is 0 when off."""
    features = family(0.25, [given], 2, 0).sample(np.random.default_rng(0), 200_000).features.astype(np.float64)
    on = features[:, 0] > 0
    p, second, first = on.mean(), features[on].T @ features[on] / on.sum(), features[on].mean(0)

    def error(parameters):
        w, b = parameters[:2] / np.linalg.norm(parameters[:2]), parameters[2:]
        centred = second - np.outer(first, b) - np.outer(b, first) + np.outer(b, b)
        return p * np.trace((np.eye(2) - np.outer(w, w)) @ centred) + (1 - p) * (b @ b)

    best = minimize(error, [1, 0.1, 0, 0]).x
    assert best[1] / best[0] == pytest.approx(failure_hedging.predicted_hedge(0.25, given, 0.15), rel=0.03)


@pytest.mark.parametrize("penalty", [0.1, 0.6])
def test_shrinkage_at_its_numerical_minimum_is_as_predicted(penalty):
    """Minimise the loss of one feature over the decoder's bias, with the best activation for every value."""
    density, spread = 0.08, 0.15
    s = np.random.default_rng(0).normal(1, spread, 100_000)

    def activations(b):
        return np.maximum(s - b - penalty / 2, 0)

    def loss(b):
        f = activations(b[0])
        return density * ((s - b[0] - f) ** 2 + penalty * f).mean() + (1 - density) * b[0] ** 2

    b = minimize(loss, [0.0]).x[0]
    slope = (activations(b) * s).sum() / (s**2).sum()
    predicted = failure_shrinkage.predicted_slope(np.array([penalty]), density, spread)[0]
    assert slope == pytest.approx(predicted, abs=2e-3)


def test_the_true_dictionary_explains_everything_when_all_its_features_may_be_kept():
    config = failure_wrong_l0.Config(features=6, samples=2000)
    world = unrelated([0.3] * 6, 6, 0)
    *shares, everything = failure_wrong_l0._true_explained(config, world, 0, (1, 2, 3, 6))
    assert everything == pytest.approx(1)
    assert shares == sorted(shares)
