"""Components of constructed tegum products are found with their kinds and dimensionalities."""

import numpy as np

from experiments.core.geometry.configurations import polygon
from experiments.uniform.shared.components import all_components, share_in_small, tile_shares
from experiments.uniform.shared.tegum import simplex, tegum_product

DIGON = np.array([[1.0, -1.0]])
PRODUCT = tegum_product(polygon(5), DIGON, simplex(3), np.ones((1, 1)))
RING = np.concatenate([np.hstack([polygon(11), np.zeros((2, 0))]), np.zeros((4, 11))])
MODELS = np.stack([PRODUCT, RING])
FOUND = all_components(MODELS, 0.1, 0.3)


def test_every_factor_is_a_component_with_its_rank_and_dimensionality():
    first = FOUND.model == 0
    found = sorted(zip(FOUND.size[first], FOUND.rank[first], np.round(FOUND.dimensionality[first], 9), strict=True))
    assert found == [(1, 1, 1.0), (2, 1, 0.5), (3, 2, round(2 / 3, 9)), (5, 2, 0.4)]


def test_all_features_of_a_product_of_small_factors_are_in_small_islands():
    assert share_in_small(FOUND, 2, 8).tolist() == [1.0, 0.0]
    assert share_in_small(FOUND, 2, 4).tolist() == [6 / 11, 0.0]


def test_tiles_of_a_group_add_up_to_one():
    kinds = {"digon": (2, 1), "pentagon": (5, 2)}
    groups = [np.array([True, False]), np.array([True, True])]
    tiles = tile_shares(FOUND, groups, kinds, largest=8)
    np.testing.assert_allclose(tiles.sum(-1), 1)
    np.testing.assert_allclose(tiles[0], [2 / 11, 5 / 11, 4 / 11, 0])
    np.testing.assert_allclose(tiles[1], [2 / 22, 5 / 22, 4 / 22, 11 / 22])
