"""Fates and origins in lineages that were made by hand, and split edges against decoders."""

import numpy as np

from experiments.autoencoders.shared.lineage import FATES, ORIGINS, count_flow, lineage, match_splits
from experiments.core.split_information import NOBODY

HELPS = np.ones(8, dtype=bool)


def repeat(*pairs):
    """Events by carrier: (small, large, how many)."""
    small, large, times = (np.array(part) for part in zip(*pairs, strict=True))
    return np.repeat(small, times), np.repeat(large, times)


def test_every_fate_and_origin_is_named():
    small, large = repeat(
        (0, 0, 60), (0, 1, 40),  # 0 splits into 0 and 1
        (1, 2, 100),  # 1 is kept as 2
        (2, 3, 50), (3, 3, 50),  # 2 and 3 merge into 3
        (4, 0, 4), (4, NOBODY, 96),  # 4 dies
        (NOBODY, 5, 80),  # 5 is born
    )  # fmt: skip
    line = lineage(small, large, HELPS, 6)
    assert [FATES[k] if k >= 0 else "" for k in line.fate] == ["split", "kept", "merged", "merged", "died", ""]
    assert [ORIGINS[k] if k >= 0 else "" for k in line.origin[:6]] == ["child", "child", "kept", "merged", "", "born"]
    assert np.argwhere(line.split_edges).tolist() == [[0, 0], [0, 1]]


def test_fates_and_origins_add_up_to_the_live_latents():
    generator = np.random.default_rng(0)
    small, large = generator.integers(-1, 20, 5000), generator.integers(-1, 30, 5000)
    line = lineage(small, large, generator.random(30) < 0.7, 20)
    assert sum(line.fates().values()) == 20
    assert sum(line.origins().values()) == 30
    assert line.edges.sum() == 0  # unrelated carriers descend from nobody
    assert line.origins()["born"] == 30


def test_a_latent_that_does_not_lower_the_error_is_no_child():
    small, large = repeat((0, 0, 60), (0, 1, 40))
    helps = HELPS.copy()
    helps[1] = False
    line = lineage(small, large, helps, 1)
    assert line.fates()["split"] == 0
    assert line.fates()["kept"] == 1


def test_a_descendant_has_one_parent_at_most():
    generator = np.random.default_rng(1)
    small = generator.integers(0, 3, 4000)
    large = np.where(generator.random(4000) < 0.85, small, generator.integers(0, 5, 4000))
    assert lineage(small, large, HELPS, 3).edges.sum(0).max() == 1


def test_flows_count_every_event_once_with_nobody_last():
    flow = count_flow([0, NOBODY, 1, 1], [NOBODY, 0, 2, 2], 2, 3)
    assert flow.shape == (3, 4)
    assert flow.sum() == 4
    assert (flow[0, 3], flow[2, 0], flow[1, 2]) == (1, 1, 2)


def test_true_splits_are_read_from_decoders_and_matched_to_edges():
    leaves = np.eye(6)
    small = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0]]) / np.sqrt(2)
    carriers = repeat((0, 0, 50), (0, 1, 50), (1, 2, 50), (1, 3, 50))
    found = match_splits(lineage(*carriers, HELPS[:4], 2), small, leaves[:4], leaves)
    assert found == (4, 4, 4, 0)
    wrong = repeat((0, 0, 50), (0, 2, 50), (1, 1, 50), (1, 3, 50))  # events say otherwise than decoders
    assert match_splits(lineage(*wrong, HELPS[:4], 2), small, leaves[:4], leaves) == (4, 2, 4, 2)


def test_two_latents_of_one_leaf_are_no_true_split():
    leaves = np.eye(4)
    small, large = np.eye(4)[:1], np.eye(4)[[0, 0]]
    found = match_splits(lineage(*repeat((0, 0, 50), (0, 1, 50)), HELPS[:2], 1), small, large, leaves)
    assert found == (0, 0, 2, 2)
