"""Two orthogonal features are recognised, cost what the closed form says, and lose where stability says."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.exact import expected_loss
from experiments.core.phases import stability_limit
from experiments.geometry.dense_pair import _search, _two_alone, _two_directions, experiment


def test_two_orthogonal_features_cost_the_variance_of_the_others():
    W, b = _two_directions(6, 0.9)
    assert expected_loss(W, b, 0.9).value == pytest.approx(4 * absent_loss(0.9) / 6, rel=1e-6)


@pytest.mark.parametrize(
    ("columns", "alone"),
    [
        ([[1, 0, 0.05], [0, 1, 0]], True),
        ([[1, 0.3, 0], [0, 1, 0]], False),
        ([[1, 0, 0.2], [0, 1, 0]], False),
        ([[1, 0, 0], [0, 0.4, 0]], False),
        ([[-1, 0, 0], [0, -0.9, 0]], True),
    ],
)
def test_two_features_alone_are_recognised(columns, alone):
    assert _two_alone(np.array([columns], dtype=float))[0] == alone


def test_a_third_feature_pays_from_the_stability_limit_on():
    """W = (1, 0, -e/sqrt 2; 0, 1, -e/sqrt 2) with the best biases gains or loses as the closed form says."""
    p, epsilon = 0.9, 0.03
    limit = float(stability_limit(p))
    for ratio, pays in ((limit - 0.02, False), (limit + 0.02, True)):
        config = replace(experiment.quick, ratios=(ratio,), searched=3, search_starts=10)
        found = _search(config)
        assert (found.third[0] > epsilon) == pays
        assert (found.lead[0] > 1e-7) == pays


def test_with_equal_importance_the_triangle_is_better():
    found = _search(replace(experiment.quick, ratios=(1.0,), searched=3, search_starts=20))
    assert found.lead[0] == pytest.approx(0.01295, abs=1e-4)
