"""Three features in two dimensions, at a small size, against the closed form for rare features."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.geometry.configurations import DIGON_AND_ONE, TRIANGLE
from experiments.core.quantities import exact
from experiments.first_runs.triangle import Config, experiment, ratio_when_common, run


@pytest.fixture(scope="module")
def result():
    return run(Config(seeds=6, p=(0.9, 0.7, 0.3, 0.1, 0.001), search_starts=8, curve_points=9), "cpu")


def test_the_ratio_of_rare_features_tends_to_nine_eighths(result):
    assert result.numbers.ratio_limit.value == pytest.approx(9 / 8, rel=1e-12)
    assert result.numbers.ratio_rarest.value == pytest.approx(9 / 8, abs=1e-4)


def test_the_triangle_is_best_for_common_features_and_the_digon_and_one_for_rare_ones(result):
    kinds = dict(zip(result.p, result.free_kind, strict=True))
    assert kinds[0.7] == kinds[0.9] == TRIANGLE.name
    assert kinds[0.3] == kinds[0.1] == DIGON_AND_ONE.name


def test_without_biases_the_triangle_is_never_better(result):
    assert (result.ratio_no_bias > 1.1).all()


def test_the_ratio_is_one_at_the_crossing(result):
    crossing = result.numbers.crossing.value
    assert (np.diff(np.sign(result.ratio[(result.curve_p > 0.2) & (result.curve_p < 0.9)] - 1)) != 0).sum() == 1
    assert 0.5 < crossing < 0.6


@pytest.mark.parametrize(
    ("least", "largest", "verdict"),
    [(0.8, 0.9, Verdict.SUPPORTED), (0.9, 1.1, Verdict.MIXED), (1.1, 1.2, Verdict.REFUTED)],
)
def test_the_conjecture_is_judged_at_every_rare_density(least, largest, verdict):
    found = Evidence(least=exact(least), largest=exact(largest))
    assert experiment.claims["triangle-when-rare"].criterion.verdict(found) is verdict


@pytest.mark.parametrize(
    ("kinds", "least", "verdict"),
    [
        (("triangle", "triangle", "other"), 0.95, Verdict.SUPPORTED),
        (("triangle", "other", "other"), 0.95, Verdict.MIXED),
        (("triangle", "triangle", "other"), 1.02, Verdict.REFUTED),
    ],
)
def test_common_features_need_the_free_search_to_agree(kinds, least, verdict):
    numbers = SimpleNamespace(least_ratio=exact(least))
    result = SimpleNamespace(p=np.array([0.9, 0.7, 0.1]), free_kind=np.array(kinds), numbers=numbers)
    assert experiment.claims["triangle-when-common"].criterion.verdict(ratio_when_common(result)) is verdict
