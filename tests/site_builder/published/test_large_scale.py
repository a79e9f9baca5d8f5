"""The cost of the large scale follows from what its configurations ask more of."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from site_builder.published.large_scale import Cost, costs, times


@dataclass(frozen=True)
class Training:
    steps: int = 100
    batch: int = 10
    learning_rate: float = 0.1


@dataclass(frozen=True)
class Config:
    seed: int = 0
    seeds: int = 4
    wide_steps: int = 50
    samples: int = 10
    hidden: tuple[int, ...] = (8, 8)
    densities: tuple[float, ...] = (0.1, 0.2)
    training: Training = Training()


@pytest.mark.parametrize(
    ("large", "expected"),
    [
        (Config(), 1.0),
        (Config(seed=7, training=Training(learning_rate=0.01)), 1.0),
        (Config(seeds=12), 3.0),
        (Config(densities=(0.1, 0.2, 0.3, 0.4)), 2.0),
        (Config(hidden=(8, 16)), 1.5),
        (Config(wide_steps=100, training=Training(steps=300)), 3.0),  # the same word counts once
        (Config(seeds=8, samples=100, training=Training(steps=200, batch=20)), 20.0),  # evaluation after training
    ],
)
def test_ratios_multiply_once_for_each_kind_of_setting(large, expected):
    assert times(Config(), large) == pytest.approx(expected)


def test_costs_are_the_seconds_of_the_published_run_times_that_dearest_first():
    def ran(seconds, threads):
        return SimpleNamespace(run=SimpleNamespace(seconds=seconds, threads=threads))

    published = SimpleNamespace(runs={"a.short": ran(36.0, 1), "a.long": ran(360.0, 2)})
    found = costs(published, {"a.short": 10.0, "a.long": 100.0, "a.unpublished": 5.0})
    assert found == [Cost("long", 720.0, 100.0), Cost("short", 36.0, 10.0)]
    assert [cost.core_hours for cost in found] == pytest.approx([20.0, 0.1])
