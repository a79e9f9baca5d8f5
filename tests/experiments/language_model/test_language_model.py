"""The part's experiments, run very small: results can be stored, figures drawn, claims decided, numbers agree."""

import dataclasses

import numpy as np
import pytest

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
from experiments.language_model.shared.splits import ladders
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


def test_the_network_is_better_than_nothing_and_differences_agree(results):
    config, result = results[transformer]
    assert result.network.mean() < np.log(config.network.text.entries)
    n = result.numbers
    assert n.gain_bigram.value == pytest.approx(result.n_gram["bigram"].value - n.loss.value)
    assert n.gain_best.value <= n.gain_five.value


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
    from scipy import sparse

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
