"""One experiment neither sees nor leaves anything in the process."""

import numpy as np
import pytest
import torch

from experiments.core.threads import undisturbed


def disturb() -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("medium")
    torch.set_num_threads(2)
    torch.manual_seed(1)
    np.seterr(all="ignore")
    np.random.seed(1)  # noqa: NPY002


def fail() -> None:
    with undisturbed():
        disturb()
        raise ZeroDivisionError


def state() -> tuple[object, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_float32_matmul_precision(),
        torch.get_num_threads(),
        torch.random.get_rng_state().tolist(),
        np.geterr(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
    )


def test_what_an_experiment_changes_for_the_whole_process_is_undone() -> None:
    before = state()
    with undisturbed():
        disturb()
        assert state() != before
    assert state() == before


def test_it_is_undone_after_a_failure_too() -> None:
    before = state()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert state() == before


def test_an_experiment_finds_one_thread() -> None:
    with undisturbed():
        assert torch.get_num_threads() == 1
