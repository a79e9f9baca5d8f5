"""The part's experiments, run very small: results can be stored, figures drawn, claims decided, numbers agree."""

import dataclasses
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from experiments.core.quantities import Quantity
from experiments.language_model import (
    feature_browser,
    text_conventions,
    text_dictionaries,
    text_features,
    text_splitting,
    transformer,
    universality,
)
from experiments.language_model.shared import checkpoints
from experiments.language_model.shared.dictionaries import QUICK_DICTIONARIES
from experiments.language_model.shared.network_config import QUICK
from experiments.language_model.shared.over_networks import over_networks
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.splits import ladders
from experiments.language_model.shared.token_share import residual_of_token
from experiments.language_model.universality import correlations
from site_builder.store import codec

NETWORK = dataclasses.replace(QUICK, steps=40, checkpoint_every=20)
DICTIONARIES = dataclasses.replace(QUICK_DICTIONARIES, network=NETWORK, steps=20, recorded=2048)
INSIDE = (text_dictionaries, text_features, text_splitting, text_conventions, universality, feature_browser)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "ROOT", tmp_path_factory.mktemp("checkpoints"))
        small = dataclasses.replace(transformer.experiment.quick, network=NETWORK)
        found = {transformer: (small, transformer.run(small, "cpu"))}
        for module in INSIDE:
            config = dataclasses.replace(module.experiment.quick, dictionaries=DICTIONARIES)
            if module is text_splitting:
                config = dataclasses.replace(config, draws=3)
            found[module] = config, module.run(config, "cpu")
        yield found


@pytest.mark.parametrize("module", [transformer, *INSIDE], ids=lambda module: module.__name__.rpartition(".")[2])
def test_results_can_be_stored_drawn_and_judged(results, module):
    _, result = results[module]
    arrays: dict = {}
    codec.encode(result, type(result), "Result", arrays)
    assert arrays
    for spec in module.experiment.figures.values():
        assert spec.draw(result).axes, spec.id
        if spec.view is not None:
            assert len(spec.view(result).entries) == len(result.latents)
    for claim in module.experiment.claims.values():
        measured = claim.decide(result)
        assert measured is not None


def quantities(value):
    if isinstance(value, Quantity):
        yield value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from quantities(getattr(value, each.name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from quantities(each)


@pytest.mark.parametrize("module", [transformer, *INSIDE[:-1]], ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_interval_is_over_networks(results, module):
    config, result = results[module]
    networks = config.networks if module is transformer else config.dictionaries.networks
    with_interval = [each for each in quantities(result) if each.low is not None]
    assert with_interval
    for each in with_interval:
        assert each.n == networks
        assert "network" in each.method
        assert "the held-out text is given" in each.method


def test_the_network_is_better_than_nothing_and_differences_agree(results):
    config, result = results[transformer]
    assert result.network.mean() < np.log(config.network.text.entries)
    n = result.numbers
    assert n.gain_bigram.value == pytest.approx(result.n_gram["bigram"].value - n.loss.value)
    assert n.gain_best.value <= n.gain_five.value
    apart = [np.abs(one - other).mean() for one, other in combinations(result.network, 2)]
    assert n.networks_differ.value == pytest.approx(np.mean(apart))


def test_differences_are_taken_within_each_network(results):
    config, result = results[text_features]
    at = config.dictionaries.ratios.index(4)
    own = result.f1[at].mean((1, 2)) - result.neuron.mean(1)
    found, wanted = result.width["4x"].over_neurons, over_networks(own)
    assert (found.value, found.low, found.high) == pytest.approx((wanted.value, wanted.low, wanted.high))
    wide = result.width["32x"].over_random
    assert wide.low is None
    assert wide.value == pytest.approx(result.f1[-1, 0, 0].mean() - result.random[-1, 0, 0].mean())
    assert np.isnan(result.f1[-1, 1:]).all()


def test_agreement_is_the_mean_over_pairs_and_directions(results):
    config, result = results[universality]
    d = seeded(config.dictionaries, config.seed)
    pairs = d.networks * (d.networks - 1) // 2
    assert (result.numbers.networks.value, result.numbers.pairs.value) == (d.networks, pairs)
    assert result.latents.correlation.n == d.networks
    plain = result.latents.correlation.value - result.neurons.correlation.value
    assert result.numbers.over_neurons.value == pytest.approx(plain)
    rng = np.random.default_rng(0)
    f = sparse.csr_matrix(np.where(rng.random((300, 6)) < 0.4, rng.random((300, 6)), 0))
    g = sparse.csr_matrix(np.where(rng.random((300, 4)) < 0.4, rng.random((300, 4)), 0) + 0.5 * f[:, :4])
    ids = rng.integers(0, 3, 300)
    a, b = (universality.Units(each, residual_of_token(each, ids, 3), np.ones(each.shape[1], bool)) for each in (f, g))
    there, back = universality._matched(a, b, SimpleNamespace(ids=ids))
    table = np.corrcoef(f.toarray().T, g.toarray().T)[:6, 6:]
    np.testing.assert_allclose(there[:, 0], table.max(1))
    np.testing.assert_allclose(back[:, 0], table.max(0))
    both = universality._medians(there, back)
    assert both[0] == pytest.approx((np.median(table.max(1)) + np.median(table.max(0))) / 2)
    found, first = universality._all_pairs([a, b], SimpleNamespace(ids=ids))
    np.testing.assert_allclose(found[0, 1], both)
    np.testing.assert_allclose(found[1, 0], both)
    np.testing.assert_array_equal(first, there)


def test_what_is_recovered_is_at_most_the_whole_and_more_latents_explain_no_less(results):
    _, result = results[text_dictionaries]
    for name, scores in result.scores.items():
        assert scores.explained.value <= 1
        assert np.isnan(scores.over_zero.value) == name.startswith("random")
    assert result.scores["relu 2x"].explained.value > result.scores["frozen 4x"].explained.value


def test_snippets_hold_the_token_on_which_the_latent_is_strongest(results):
    _, browser = results[feature_browser]
    s = browser.snippets
    assert len(browser.latents) > 5
    for row in range(len(browser.latents)):
        peak = s.activations[row, 0, s.peak[row, 0]]
        assert peak == pytest.approx(browser.largest[row], rel=1e-3)
        assert s.activations[row, 0].max() == peak
    assert (browser.histogram.sum(1) == np.rint(browser.density * browser.tokens_seen)).all()


def test_every_latent_of_the_browser_has_a_page_whose_marks_are_its_activations(results):
    _, browser = results[feature_browser]
    collection = feature_browser.experiment.figures["browser-latents"].view(browser)
    assert [entry.id for entry in collection.entries] == [
        f"latent-{browser.latents[row]}" for row in np.argsort(-browser.density, kind="stable")
    ]
    row = int(np.argmax(browser.density))
    first = collection.entries[0].sections[0].passages[0]
    there = browser.snippets.tokens[row, 0] >= 0
    shares = browser.snippets.activations[row, 0][there] / browser.largest[row]
    np.testing.assert_allclose(first.strengths, np.minimum(shares, 1), atol=2e-3)
    assert first.tokens == tuple(browser.vocabulary[token] for token in browser.snippets.tokens[row, 0][there])


def test_correlations_are_those_with_group_means_taken_out():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, 300)
    a, b = ((rng.random((300, k)) < 0.3) * rng.random((300, k)) + 0.5 * (group == 1)[:, None] for k in (3, 5))
    for groups in (np.zeros(300, int), group):
        mean = [np.stack([f[groups == g].mean(0) for g in range(groups.max() + 1)]) for f in (a, b)]
        wanted = np.corrcoef((a - mean[0][groups]).T, (b - mean[1][groups]).T)[:3, 3:]
        found = correlations(sparse.csr_matrix(a), sparse.csr_matrix(b), *mean, groups)
        np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_a_ladder_goes_from_one_to_two_to_three():
    counted = np.array([[1, 1, 1, 2], [2, 1, 2, 2], [3, 3, 1, 3]], dtype=float)[:, None, :]
    assert ladders(counted).tolist() == [[True, False, False, False]]
