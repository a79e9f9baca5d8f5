"""A dictionary encodes as the trainer's own inference does, and comes back from its checkpoint."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.core.autoencoders import Autoencoder, Specification, decode, encode, train_autoencoders
from experiments.language_model.shared import checkpoints
from experiments.language_model.shared import dictionaries as module
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    Recorded,
    all_networks,
    dictionaries,
    record,
)
from experiments.language_model.shared.seeded import seeded


@pytest.mark.parametrize("variant", ["batchtopk", "relu"])
def test_latents_and_reconstruction_are_those_of_the_trainer(variant):
    rng = np.random.default_rng(0)
    pool = np.maximum(rng.normal(size=(2000, 12)), 0).astype(np.float16)
    source = Recorded(pool, 0.7)
    models = (Autoencoder(variant, 20, 3),)
    state = train_autoencoders([source], Specification(models, 60, 64)).state
    named, threshold = state.named, float(state.threshold[0]) if variant == "batchtopk" else 0.0
    one = Dictionary(variant, 1, 0, 0.7, named.W_dec[0], named.W_enc[0], named.b_enc[0], named.b_dec[0], threshold)
    h = pool[:300].astype(np.float32)
    f = one.encoded(h)
    wanted = encode(state, models, 0, h * np.float32(0.7))
    assert (wanted > 0).any()
    np.testing.assert_allclose(f.toarray(), wanted, atol=1e-5)
    some = np.array([0, 7, 8, 299])
    at_some = one.encoded_at(some, h)  # a product of fewer rows may round differently
    np.testing.assert_allclose(at_some.toarray()[some], f.toarray()[some], atol=1e-6)
    assert at_some.nnz == f[some].nnz
    np.testing.assert_allclose(one.decoded(f), decode(state, models, 0, wanted) / 0.7, atol=1e-5)


def test_dictionaries_come_back_from_their_checkpoint_and_differ_by_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    config = dataclasses.replace(
        QUICK_DICTIONARIES,
        network=dataclasses.replace(QUICK_DICTIONARIES.network, steps=4, checkpoint_every=4),
        ratios=(0.5,), relu_ratios=(), frozen_ratios=(0.5,), steps=5, recorded=512,
    )  # fmt: skip
    networks = all_networks(config)
    made = dictionaries(config, networks)
    again = dictionaries(config, networks)
    assert [one.arm for one in made[0]] == ["batchtopk", "batchtopk", "frozen", "random"]
    for first, second in zip(made[1], again[1], strict=True):
        np.testing.assert_array_equal(first.W_dec, second.W_dec)
        assert first.threshold == second.threshold
    assert np.abs(made[0][0].W_dec - made[0][1].W_dec).max() > 0.1


def _first_weights(config: DictionaryConfig, number: int) -> list[int]:
    return [model.seed for _, _, model in module._models(config, number)]


def test_networks_and_runs_with_other_seeds_have_dictionaries_with_first_weights_of_their_own():
    config = DictionaryConfig()
    drawn = [set(_first_weights(config, number)) for number in range(config.networks)]
    drawn += [set(_first_weights(seeded(config, 7001), number)) for number in range(config.networks)]
    assert [len(each) for each in drawn] == [config.seeds] * (2 * config.networks)
    assert all(not one & other for one, other in combinations(drawn, 2))
    frozen = [module._models(config, number)[-1] for number in (0, 1)]
    assert [arm for arm, _, _ in frozen] == ["frozen", "frozen"]
    assert frozen[0][2].seed != frozen[1][2].seed


def test_only_the_first_networks_have_the_widest_dictionaries():
    config = DictionaryConfig(networks=3, wide_networks=1, ratios=(4, 8, 16), seeds=2)
    assert [[config.count(ratio, number) for ratio in config.ratios] for number in range(3)] == [
        [2, 1, 1], [2, 1, 0], [2, 1, 0]
    ]  # fmt: skip
    plans = [module._models(config, number) + module._control(config, number) for number in range(3)]
    assert [sum(ratio == 16 for _, ratio, _ in plan) for plan in plans] == [2, 0, 0]
    assert [len(module._by_size(config, plan)) for plan in plans] == [2, 1, 1]


def _place_of_first_group(config: DictionaryConfig, networks: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    places: list[Any] = []
    make = module.checkpoint

    class Found(Exception):
        pass

    def kept(*given: Any) -> None:
        places.append(make(*given))
        raise Found

    with monkeypatch.context() as patched:
        patched.setattr(module, "checkpoint", kept)
        with pytest.raises(Found):
            dictionaries(config, networks)
    return places[0]


def test_a_group_that_another_process_trains_is_left_to_it_and_waited_for_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    config = dataclasses.replace(
        QUICK_DICTIONARIES,
        network=dataclasses.replace(QUICK_DICTIONARIES.network, steps=2, checkpoint_every=2),
        networks=1, ratios=(0.5,), relu_ratios=(), frozen_ratios=(), steps=2, recorded=512,
    )  # fmt: skip
    networks = all_networks(config)
    order: list[str] = []
    train = module._trained

    def trained(*given: Any) -> checkpoints.Arrays:
        order.append(given[3][0][0])
        if len(order) == 1:
            let_go.set()
        return train(*given)

    monkeypatch.setattr(module, "_trained", trained)
    held = _place_of_first_group(config, networks, monkeypatch)
    let_go, taken = threading.Event(), threading.Event()

    def other() -> None:
        with held.held():
            taken.set()
            assert let_go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(other)
        assert taken.wait(30)
        made = dictionaries(config, networks)
        busy.result()
    assert order == ["random", "batchtopk"]
    assert [one.arm for one in made[0]] == ["batchtopk", "batchtopk", "random"]


def test_recorded_activations_have_the_variance_that_the_trainer_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    config = dataclasses.replace(
        QUICK_DICTIONARIES, network=dataclasses.replace(QUICK_DICTIONARIES.network, steps=2, checkpoint_every=2)
    )
    source = record(config, all_networks(config)[0][0], 0)
    drawn = source.activations(np.random.default_rng(0), 4000)
    assert drawn.var(0).sum() == pytest.approx(config.active, rel=0.1)
