"""Hypotheses about the number of represented features, on counts made by a known rule."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.first_runs.density_sweep import Config, experiment
from experiments.first_runs.shared.count_hypotheses import contrast

SIZES, P, SEEDS = Config().sizes, Config().counted, 6


def counts(rule: str) -> np.ndarray:
    """Counts (size, density, seed) that follow a rule but for one per cent of noise."""
    generator = np.random.default_rng(0)
    p, rows = np.array(P), []
    for n, d in SIZES:
        load = p * n / d
        true = 0.9 * n / (1 + load) if rule == "pn_over_d" else np.minimum(n, d * p**-0.8)
        rows.append(true[:, None] * (1 + 0.01 * generator.standard_normal((len(p), SEEDS))))
    return np.array(rows)


@pytest.mark.parametrize(("rule", "verdict"), [("pn_over_d", Verdict.SUPPORTED), ("p", Verdict.REFUTED)])
def test_the_hypothesis_that_made_the_counts_predicts_them_best(rule: str, verdict: Verdict) -> None:
    found = contrast(SIZES, P, counts(rule), resamples=50, seed=0)
    errors = {name: getattr(found, name).value for name in ("pn_over_d", "pn", "p")}
    assert min(errors, key=errors.__getitem__) == rule
    assert experiment.claims["crowding-pn-over-d"].criterion.verdict(Evidence(ratio=found.ratio)) is verdict


def test_the_ratio_compares_with_the_better_rival() -> None:
    found = contrast(SIZES, P, counts("p"), resamples=50, seed=0)
    assert found.ratio.value == pytest.approx(found.pn_over_d.value / min(found.p.value, found.pn.value))
