"""Disturbances and what the column predicts of them, against Monte Carlo and cases with a known answer."""

import numpy as np
import pytest

from experiments.adversarial.shared.attacks import NORMS
from experiments.adversarial.shared.perturbations import (
    ADVERSARIAL,
    ALIGNED,
    KINDS,
    PLAUSIBLE,
    TYPICAL,
    WORST,
    Cases,
    cancelled,
    cases,
    disturb,
    partial_responses,
    predicted,
    response,
    size_of,
)
from experiments.core.metrics import gram

LIVE = np.ones(12, dtype=bool)
OPEN = np.full(12, 100.0)  # a bias so high that no output is cut


def given(count: int = 4000, *, present: bool = True) -> Cases:
    W = np.random.default_rng(0).standard_normal((4, 12)) / 2 + 0.1
    return cases(gram(W), 0.3, LIVE, count, present=present, seed=1)


def test_the_feature_looked_at_is_present_or_absent_as_asked():
    for state in (True, False):
        found = given(present=state)
        assert ((found.x[np.arange(4000), found.i] > 0) == state).all()
        assert (np.delete(found.x, 0, axis=1) > 0).mean() == pytest.approx(0.3 if not state else 0.36, abs=0.05)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != TYPICAL])
def test_disturbances_have_unit_size_and_do_what_the_column_predicts(kind, norm):
    found = given(20_000)
    delta = disturb(kind, found, 0.3, norm, 2)
    assert size_of(delta, norm) == pytest.approx(1)
    own = found.row[np.arange(20_000), found.i]
    measured = response(found, OPEN, delta, 0.1, either_sign=kind in ADVERSARIAL)
    assert measured == pytest.approx(predicted(kind, found.row, own, 0.3, norm), rel=0.03)


@pytest.mark.parametrize("kind", [TYPICAL, PLAUSIBLE])
def test_what_data_could_produce_is_never_negative_nor_empty_and_leaves_the_feature_alone(kind):
    found = given()
    delta = disturb(kind, found, 0.05, "l2", 3)
    assert (delta >= 0).all()
    assert (delta > 0).any(1).all()
    assert not delta[np.arange(4000), found.i].any()


@pytest.mark.parametrize("norm", NORMS)
def test_no_kind_does_more_than_the_worst(norm):
    found = given(500)
    worst = np.abs((found.row * disturb(WORST, found, 0.3, norm, 4)).sum(-1))
    for kind in KINDS[1:]:
        assert (np.abs((found.row * disturb(kind, found, 0.3, norm, 4)).sum(-1)) <= worst + 1e-9).all()


@pytest.mark.parametrize("kind", [TYPICAL, PLAUSIBLE])
def test_disturbances_do_not_depend_on_the_inputs_of_the_same_seed(kind):
    found = given(4000)
    others = np.arange(12) != found.i[:, None]
    switched, present = (disturb(kind, found, 0.3, "l2", 1) > 0)[others], (found.x > 0)[others]
    share, other = switched.mean(), present.mean()
    assert (switched == present).mean() == pytest.approx(share * other + (1 - share) * (1 - other), abs=0.01)


def test_signs_of_eps_make_every_term_add_up():
    found = given(50)
    moved = (found.row * disturb(ALIGNED, found, 0.3, "linf", 5)).sum(-1)
    assert np.allclose(moved, np.abs(found.eps).sum(-1))


def test_an_output_that_is_shut_does_not_respond():
    found = given(100)
    delta = disturb(WORST, found, 0.3, "l2", 6)
    assert response(found, np.full(12, -100.0), delta, 1.0, either_sign=True) == 0
    assert response(found, np.full(12, -100.0), delta, 1.0, either_sign=True, linear=True) > 0


def test_partial_sums_end_at_the_sum_of_all_others():
    found = given(300)
    sums = partial_responses(found, np.array([1, 11]), 7)
    assert sums["aligned"][1] == pytest.approx(np.sqrt((np.abs(found.eps).sum(-1) ** 2).mean()))
    assert sums["data"][0] == pytest.approx(np.sqrt((found.eps**2).sum(-1).mean() / 11 / 3), rel=0.2)


def test_entries_of_one_sign_never_cancel():
    row = np.full((2000, 12), 0.5)
    one_sign = Cases(np.zeros((2000, 12)), np.arange(2000) % 12, row)
    kept, noise = cancelled(one_sign, 0.5, 8)
    assert kept == pytest.approx(1)
    assert noise > 1.5


def test_there_is_no_prediction_for_data_at_their_own_size():
    with pytest.raises(ValueError, match="typical data"):
        predicted(TYPICAL, np.ones((1, 3)), np.ones(1), 0.1, "l2")
