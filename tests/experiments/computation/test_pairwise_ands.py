"""A small run: medians follow from the widths, and the storage is cheaper than the computation."""

import dataclasses

import numpy as np
import pytest

from experiments.computation import pairwise_ands

SMALL = dataclasses.replace(pairwise_ands.experiment.quick, features=(16, 64), small=(6, 8))


def test_a_run_reports_what_it_measured():
    result = pairwise_ands.run(SMALL, "cpu")
    assert result.widths.shape == (4, 2, 2)
    assert (result.widths[1::2] <= result.widths[::2]).all()  # a threshold asks for less than a value
    assert result.sizes["64"].centred.value == pytest.approx(np.median(result.widths[2, 1]))
    assert result.sizes["64"].pairs.value == 64 * 63 / 2
    assert result.sizes["64"].storage.value < result.sizes["64"].centred.value
    assert result.errors.shape == (2, 2, 2)
    assert set(result.trained_sizes) == {"6", "8"}
