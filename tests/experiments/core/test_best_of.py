"""The best of a few runs is averaged over all choices, and its interval covers."""

from itertools import combinations

import numpy as np
import pytest

from experiments.core.best_of import best_of_some


def by_hand(loss, hit, chosen):
    """Average over all choices, one by one."""
    choices = [list(some) for some in combinations(range(loss.shape[1]), chosen)]
    return np.mean(
        [[row_hit[some][row[some].argmin()] for some in choices] for row, row_hit in zip(loss, hit, strict=True)]
    )


@pytest.mark.parametrize("chosen", [1, 2, 4])
def test_it_is_the_average_over_all_choices(chosen):
    generator = np.random.default_rng(chosen)
    loss, hit = generator.random((3, 7)), generator.random((3, 7)) < 0.4
    assert best_of_some(loss, hit, chosen).value == pytest.approx(by_hand(loss, hit, chosen))


def test_the_jackknife_leaves_whole_seeds_out():
    generator = np.random.default_rng(5)
    loss, hit = generator.random((4, 6)), generator.random((4, 6)) < 0.5
    without = [by_hand(np.delete(loss, seed, 1), np.delete(hit, seed, 1), 2) for seed in range(6)]
    error = np.sqrt(5 / 6 * ((without - np.mean(without)) ** 2).sum())
    found = best_of_some(loss, hit, 2)
    assert found.high == pytest.approx(min(1, found.value + 2.5706 * error), abs=1e-4)


def test_intervals_cover_the_chance_that_the_best_of_a_few_hits():
    """Runs hit with probability one half and then have a lower loss on average."""
    generator = np.random.default_rng(0)

    def draw(seeds):
        hit = generator.random((5, seeds)) < 0.5
        return generator.standard_normal((5, seeds)) - 0.8 * hit, hit

    truth = best_of_some(*draw(20_000), 4).value
    found = [best_of_some(*draw(32), 4) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.91 < covered < 0.99


def test_all_hits_are_one_and_too_many_chosen_are_refused():
    found = best_of_some(np.random.default_rng(0).random((2, 5)), np.ones((2, 5)), 3)
    assert (found.value, found.low, found.high) == (pytest.approx(1), pytest.approx(1), pytest.approx(1))
    with pytest.raises(ValueError, match="needs more than 5"):
        best_of_some(np.ones((2, 5)), np.ones((2, 5)), 5)
