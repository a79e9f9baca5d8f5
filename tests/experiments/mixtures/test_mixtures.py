"""The experiments on mixtures, run small: shapes agree, seeds repeat, and training does what it should."""

import dataclasses

import numpy as np
import pytest

from experiments.mixtures import forward_time, mixture_phases, mixture_routing, mixtures
from experiments.mixtures.shared.mixture_model import Mixture, dense, multiply_adds
from experiments.mixtures.shared.mixture_results import models_of
from experiments.mixtures.shared.mixture_samples import Source
from experiments.mixtures.shared.mixture_training import Recipe, seeds_of, train_mixtures

CONFIG = dataclasses.replace(
    mixtures.experiment.quick, seeds=2, p=(1.0, 0.1, 0.01), batch=(16, 16, 32), steps=10, evaluation=4
)


@pytest.fixture(scope="module")
def found():
    return mixtures.run(CONFIG, "cpu")


def test_every_model_is_measured_on_every_density_and_seed(found):
    assert found.loss.shape == (len(models_of(CONFIG)), 3, 2)
    assert (found.loss > 0).all()
    assert len(found.compared) == len([m for m in models_of(CONFIG) if m.experts > 1 or m.units])


def test_interference_is_the_same_routed_or_not_with_a_single_expert(found):
    single = [k for k, m in enumerate(models_of(CONFIG)) if m.experts == 1 and not m.units]
    np.testing.assert_allclose(found.routed[single], found.general[single], rtol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(found):
    again = mixtures.run(CONFIG, "cpu")
    assert again.loss.tobytes() == found.loss.tobytes()
    other = mixtures.run(dataclasses.replace(CONFIG, seed=CONFIG.seed + 1), "cpu")
    assert (other.loss != found.loss).all()


def test_a_model_alone_trains_as_among_others():
    source, recipe, model = Source(30, 0.1), Recipe(20, 1e-2, 4), Mixture(3, 2, 2)
    alone = train_mixtures([model], [source], [16], seeds_of(0, 1), recipe)[0][0][0]
    among = train_mixtures([dense(5), model], [source], [16], seeds_of(0, 1), recipe)[0][0][1]
    np.testing.assert_array_equal(alone.last.W, among.last.W)


def test_training_approaches_the_loss_of_an_expert_that_holds_all_it_can():
    # Two features, never together in a sample of a pure cluster, one expert each: both are kept exactly.
    source = Source(2, 0.3, clusters=2, purity=1.0)
    model = Mixture(2, 1, gate_start="k-hot")
    trained = train_mixtures([model], [source], [64], seeds_of(0, 4), Recipe(1500, 3e-2))[0]
    losses = [each[0].measures.loss for each in trained]
    assert min(losses) < 1e-4


def test_routers_differ_in_nothing_but_routing():
    config = dataclasses.replace(mixture_routing.experiment.quick, seeds=2, batch=16, steps=5, evaluation=2)
    result = mixture_routing.run(config, "cpu")
    assert result.loss.shape[1:] == (2, 2)
    assert np.isfinite(result.cost).all()
    assert set(result.routers) >= {"hash", "cluster known", "best expert known"}


def test_phase_diagrams_cover_the_grid_with_norms():
    config = dataclasses.replace(mixture_phases.experiment.quick, seeds=5, features=(2,), points=4, steps=150, batch=64)
    result = mixture_phases.run(config, "cpu")
    assert result.norm.shape == (3, 4, 4, 5)
    # Where every feature is present and the last matters most, a dense model of one unit keeps it; least, it does not.
    assert np.median(result.norm[0, -1, -1]) > 0.8
    assert np.median(result.norm[0, 0, -1]) < 0.3
    assert len(result.numbers.jumps) == 2
    assert result.diagrams["2 features, dense"].loss.value == pytest.approx(1.0)


def test_the_committed_times_are_of_the_models_that_are_counted():
    result = forward_time.run(forward_time.Config(), "cpu")
    for name, model in forward_time.TIMED.items():
        share = multiply_adds(model, 100) / (2 * 20 * 100)
        assert result.timed[name].count_hidden.value == pytest.approx(share)
        assert result.timed[name].nanoseconds.value > 0
