"""Gates against brute force and against codes whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from experiments.core.read_out import sparse_samples
from experiments.linear_representation.shared.gates import (
    balanced_error,
    gaussian_error,
    interference,
    labelled,
    overlaps,
    random_directions,
    threshold_error,
    train_gates,
    with_dedicated_neuron,
)


@pytest.fixture(autouse=True)
def _one_thread():
    """Small products only wait for each other in several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_directions_have_length_one_and_a_dedicated_neuron_has_no_overlap():
    assert np.allclose(np.linalg.norm(random_directions(9, 4, 3, rng()), axis=1), 1)
    own = with_dedicated_neuron(9, 4, 3, rng())
    assert np.allclose(np.linalg.norm(own, axis=1), 1)
    assert not overlaps(own).any()


def test_interference_is_the_deviation_of_what_others_add():
    overlap = overlaps(random_directions(20, 5, 2, rng()))
    disturbance = overlap @ sparse_samples(0.2, 19, 200_000, 1).T
    assert interference(overlap, 0.2) == pytest.approx(disturbance.std(1), rel=0.01)


def test_overlaps_do_not_depend_on_the_length_of_all_columns():
    W = random_directions(6, 3, 2, rng())
    assert np.allclose(overlaps(3 * W), overlaps(W))


def test_the_best_threshold_is_that_of_brute_force():
    z = rng().normal(0, 0.3, (2, 300))
    t = np.linspace(-1, 2, 3001)[:, None]
    for row, found in zip(z, threshold_error(z), strict=True):
        errors = ((row > t).mean(1) + np.clip(t - row, 0, 1).mean(1)) / 2
        assert found == pytest.approx(errors.min(), abs=2e-3)
        assert found <= errors.min() + 1e-12


def test_without_disturbance_a_threshold_never_errs_and_with_much_it_knows_nothing():
    assert threshold_error(np.zeros((1, 10))) == pytest.approx(0)
    assert threshold_error(rng().normal(0, 100, (1, 20_000))) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0])
def test_the_normal_formula_is_what_normal_samples_give(sigma):
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000, scale=sigma)[None]
    assert threshold_error(z) == pytest.approx(gaussian_error(sigma), abs=2e-3)


def test_half_of_the_samples_have_the_feature_and_others_keep_their_density():
    W = np.eye(5)[None].repeat(2, 0)
    data = labelled(W, 0.1, 4000, 0)
    assert data.present.float().mean(1).tolist() == [0.5, 0.5]
    assert ((data.h[..., 0] > 0) == data.present).float().mean() > 0.999
    assert float((data.h[..., 1:] > 0).float().mean()) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("width", [0, 8])
def test_gates_learn_a_dedicated_neuron(width):
    W = with_dedicated_neuron(8, 4, 3, rng())
    data, test = labelled(W, 0.05, 2000, 1), labelled(W, 0.05, 2000, 2)
    gate = train_gates(data, np.arange(3), np.full(3, 2000), width, 160, 0)
    assert balanced_error(gate, test, np.arange(3)).max() < 0.1


def test_a_gate_learns_nothing_from_a_feature_that_is_not_stored():
    W = with_dedicated_neuron(8, 4, 1, rng())
    W[:, :, 0] = 0
    data, test = labelled(W, 0.2, 1000, 1), labelled(W, 0.2, 4000, 2)
    gate = train_gates(data, np.zeros(1, int), np.array([1000]), 0, 100, 0)
    assert balanced_error(gate, test, np.zeros(1, int))[0] == pytest.approx(0.5, abs=0.05)


def test_a_gate_sees_only_its_own_samples():
    W = random_directions(8, 4, 1, rng())
    data = labelled(W, 0.2, 256, 1)
    spoiled = data._replace(h=data.h.clone())
    spoiled.h[:, 64:] = 1e3
    one, two = (train_gates(each, np.zeros(1, int), np.array([64]), 4, 40, 0) for each in (data, spoiled))
    assert all(bool((a == b).all()) for a, b in zip(one.parameters, two.parameters, strict=True))


def test_a_dedicated_neuron_is_learned_from_few_samples_once_its_code_is_rotated():
    """The page says so: along one axis Adam moves a single weight, along a spread direction all of them."""
    codes, samples = 12, 64
    own = with_dedicated_neuron(64, 16, codes, rng())
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((codes, 16, 16)))[0]
    shared = random_directions(64, 16, codes, rng())

    def error(W):
        data, test = labelled(W, 0.01, samples, 1), labelled(W, 0.01, 2048, 0)
        gate = train_gates(data, np.arange(codes), np.full(codes, samples), 0, 400, 2)
        return balanced_error(gate, test, np.arange(codes)).mean()

    assert error(rotation @ own) < error(shared) < error(own)
