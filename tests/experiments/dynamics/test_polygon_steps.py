"""Losses of polygons are those of the literature, and plateaus are credited only where they lie at one."""

import numpy as np
import pytest

from experiments.dynamics import polygon_steps
from experiments.dynamics.polygon_steps import FEATURES, polygon_losses

PUBLISHED = {4: 0.0, 5: 0.23738, 6: 0.86746}  # h_k of Chen et al. 2023, Lemma 3.1, evaluated


@pytest.mark.parametrize("k", [4, 5, 6])
def test_polygons_have_their_published_losses(k: int) -> None:
    corners, biased, levels = polygon_losses()
    found = levels[(corners == k) & (biased == 0)][0]
    assert found == pytest.approx((PUBLISHED[k] + FEATURES - k) / (3 * FEATURES), abs=1e-6)


def test_a_learned_bias_of_a_dead_feature_saves_what_it_must() -> None:
    corners, biased, levels = polygon_losses()
    square = levels[corners == 4]
    np.testing.assert_allclose(np.diff(square), -1 / 144)
    assert biased[corners == 4].tolist() == [0, 1, 2]


def test_time_at_a_level_is_counted_and_time_elsewhere_is_not() -> None:
    time = np.linspace(0, 4, 81)
    levels = np.array([0.05, 0.1])
    loss = np.exp(np.interp(time, [0.5, 1.0, 2.0, 2.2], np.log([0.33, 0.1, 0.1, 0.07])))
    # Flat at 0.33 (nothing learned), at 0.1 for one decade, and at 0.07, no level, for 1.8 decades.
    assert polygon_steps._share_at(loss, time, levels) == pytest.approx(1.0 / 2.8, abs=0.03)


def test_chance_is_the_covered_share() -> None:
    assert polygon_steps._covered(np.array([0.1]), np.log(0.05), np.log(0.2)) == pytest.approx(
        np.log(1.01 / 0.99) / np.log(4), abs=1e-3
    )
