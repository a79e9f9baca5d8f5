"""The draws of the CUDA backend: their distribution, their groups, and that no stream repeats."""

import os
from typing import Any

import numpy as np
import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # triton reads it when it is imported
pytest.importorskip("triton", reason="triton comes with the CUDA build of torch and with the test requirements")

import triton  # noqa: E402
import triton.language as tl  # noqa: E402

from experiments.core.training import cuda_batched, cuda_inputs, cuda_kernels  # noqa: E402
from experiments.core.training.cuda import State  # noqa: E402
from experiments.core.training.problem import resolve  # noqa: E402
from experiments.core.training.specification import Data, Model, Recipe  # noqa: E402

BATCH = 1000
SIGMAS = 4.5  # two-sided tail 7e-6: even over all of this file's checks a good generator fails once in a thousand


def batches(steps: int, features: int, **options: Any) -> np.ndarray:
    """Draw (step, instance, sample, feature)."""
    problem = resolve(Data(**options), Model(features, 2), Recipe(batch=BATCH, instance_seeds=(3, 4)))
    visits = cuda_inputs.Visits(problem, DEVICE)
    stepper = cuda_batched.Batched(problem, State.start(problem, DEVICE), visits, DEVICE)
    drawn = []
    for step in range(steps):
        stepper._step.fill_(step)
        drawn.append(stepper.draw().cpu().numpy().copy())
    return np.stack(drawn)


@pytest.fixture(scope="module")
def independent() -> np.ndarray:
    return batches(4, 4, density=[1.0, 0.5, 0.1, 0.0])


@pytest.fixture(scope="module")
def correlated() -> np.ndarray:
    groups = {"coupling": "correlated", "groups": ((0, 1),), "strength": [1.0, 0.5]}
    return batches(4, 3, density=[0.3, 0.3, 0.6], signed=True, **groups)


@pytest.fixture(scope="module")
def anticorrelated() -> np.ndarray:
    groups = {"coupling": "anticorrelated", "groups": ((1, 0, 2),), "strength": [1.0, 0.5]}
    return batches(4, 4, density=[0.2, 0.2, 0.2, 0.5], **groups)


def assert_share(hits: np.ndarray, probability: float) -> None:
    sigma = np.sqrt(probability * (1 - probability) / hits.size)
    assert abs(hits.mean() - probability) <= SIGMAS * sigma


def assert_mean(values: np.ndarray, mean: float) -> None:
    assert abs(values.mean() - mean) <= SIGMAS * values.std() / np.sqrt(values.size)


def test_each_feature_is_present_with_its_density(independent: np.ndarray) -> None:
    for feature, density in enumerate((1.0, 0.5, 0.1, 0.0)):
        assert_share(independent[..., feature] != 0, density)


def test_values_are_uniform_in_the_unit_interval(independent: np.ndarray) -> None:
    for feature in range(3):
        values = independent[..., feature][independent[..., feature] != 0]
        assert values.min() >= 0
        assert values.max() <= 1
        assert_mean(values, 1 / 2)
        assert_mean((values - 0.5) ** 2, 1 / 12)
        assert_mean((values - 0.5) ** 4, 1 / 80)


def test_signed_values_are_uniform_on_both_sides(correlated: np.ndarray) -> None:
    for feature in range(3):
        values = correlated[..., feature][correlated[..., feature] != 0]
        assert -1 <= values.min() < -0.99
        assert 0.99 < values.max() <= 1
        assert_mean(values, 0)
        assert_mean(values**2, 1 / 3)


def neighbours(x: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pairs of draws that share everything but one index of x (step, instance, sample, feature)."""
    return {
        "features": (x[..., 0], x[..., 1]),
        "samples": (x[:, :, 1:, 0], x[:, :, :-1, 0]),
        "quads": (x[:, :, 4:, 0], x[:, :, :-4, 0]),
        "steps": (x[1:, ..., 0], x[:-1, ..., 0]),
        "instances": (x[:, 0, :, 0], x[:, 1, :, 0]),
    }


@pytest.mark.parametrize("along", ["features", "samples", "quads", "steps", "instances"])
def test_draws_are_uncorrelated(independent: np.ndarray, along: str) -> None:
    one, other = neighbours(independent[..., 1:3])[along]
    correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert abs(correlation) < SIGMAS / np.sqrt(one.size)


def test_a_coupled_group_is_present_or_absent_as_one(correlated: np.ndarray) -> None:
    present = correlated[:, 0] != 0
    np.testing.assert_array_equal(present[..., 0], present[..., 1])
    assert_share(present[..., 0], 0.3)
    both = correlated[:, 0][present[..., 0]]
    assert abs(np.corrcoef(both[:, 0], both[:, 1])[0, 1]) < SIGMAS / np.sqrt(len(both))


def test_half_coupled_features_keep_their_density_and_meet_as_often_as_they_should(correlated: np.ndarray) -> None:
    present = correlated[:, 1] != 0
    assert_share(present[..., 0], 0.3)
    assert_share(present[..., 1], 0.3)
    assert_share(present[..., 0] & present[..., 1], 0.5 * 0.3 + 0.5 * 0.3**2)
    assert_share(present[..., 0] & present[..., 2], 0.3 * 0.6)


def test_at_most_one_of_an_anticorrelated_group_is_present(anticorrelated: np.ndarray) -> None:
    present = anticorrelated[:, 0] != 0
    assert present[..., :3].sum(axis=-1).max() == 1
    for feature in range(3):
        assert_share(present[..., feature], 0.2)
    assert_share(present[..., 0] & present[..., 3], 0.2 * 0.5)


def test_half_anticorrelated_features_keep_their_density(anticorrelated: np.ndarray) -> None:
    present = anticorrelated[:, 1] != 0
    for feature in range(3):
        assert_share(present[..., feature], 0.2)
    assert_share(present[..., 0] & present[..., 1], 0.5 * 0.2**2)


@triton.jit
def write_words(out_ptr, key_ptr, index, step, purpose, QUADS: tl.constexpr):
    """Write the four words of QUADS quads of instance `program_id(0)`: (instance, quad, word)."""
    instance = tl.program_id(0)
    quad = tl.arange(0, QUADS)
    found = cuda_kernels.words(tl.load(key_ptr + instance), index, quad, step, purpose)
    for k in tl.static_range(4):
        tl.store(out_ptr + (instance * QUADS + quad) * 4 + k, found[k].to(tl.int64))


def philox(key: int, counter: tuple[int, int, int, int], rounds: int = 7) -> tuple[int, ...]:
    """Philox 4x32 as the paper states it, in plain integers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(rounds):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c3 ^ k1, a & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


KEYS = (0x0123456789ABCDEF, 0xFEDCBA9876543210)
QUADS = 64


def words(index: int, step: int, purpose: int) -> np.ndarray:
    key = torch.from_numpy(np.array(KEYS, np.uint64).view(np.int64)).to(DEVICE)
    out = torch.zeros(len(KEYS), QUADS, 4, dtype=torch.int64, device=DEVICE)
    write_words[(len(KEYS),)](out, key, index, step, purpose, QUADS=QUADS)
    return out.cpu().numpy()


def test_words_are_those_of_philox() -> None:
    found = words(index=5, step=70_001, purpose=1)
    for instance, key in enumerate(KEYS):
        for quad in (0, 1, 63):
            assert tuple(found[instance, quad]) == philox(key, (quad, 5, 70_001, 1))


def test_no_words_repeat_across_instances_features_steps_and_purposes() -> None:
    drawn = [words(index, step, purpose) for index in range(4) for step in (0, 1, 2) for purpose in (0, 1)]
    quadruples = np.concatenate([block.reshape(-1, 4) for block in drawn])
    assert len(np.unique(quadruples, axis=0)) == len(quadruples)
