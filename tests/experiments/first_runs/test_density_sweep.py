"""How the densities are trained, and what the verdict about islands asks."""

import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity, exact
from experiments.first_runs import density_sweep
from experiments.first_runs.density_sweep import Config

CONFIG = Config(seeds=6, resamples=50)


def test_every_density_is_trained_once_in_falling_order() -> None:
    groups = density_sweep._by_batch(CONFIG, CONFIG.densities)
    assert [p for _, inside in groups for p in inside] == list(CONFIG.densities)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [((3, 4, 3), Verdict.SUPPORTED), ((3, 1, 3), Verdict.MIXED), ((1, 0.9, 1.2), Verdict.REFUTED)],
)
def test_the_verdict_on_sparse_cosines_asks_every_size(ratios, verdict) -> None:
    found = Evidence(sparsest=exact(0.8), ratio=tuple(Quantity(r, r - 0.1, r + 0.1, 16) for r in ratios))
    assert density_sweep.experiment.claims["islands-sparse"].criterion.verdict(found) is verdict
