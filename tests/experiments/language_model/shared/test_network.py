"""Training stops and goes on with the same bytes; the control is random but as large."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from experiments.language_model.shared import checkpoints, network, network_training
from experiments.language_model.shared.checkpoints import Checkpoint, checkpoint
from experiments.language_model.shared.corpus import TextConfig
from experiments.language_model.shared.network import Network, random_network
from experiments.language_model.shared.network_config import NetworkConfig
from experiments.language_model.shared.network_training import start, train
from experiments.language_model.shared.transformer_model import split

SMALL = NetworkConfig(
    text=TextConfig(entries=50), model=16, mlp=24, heads=2, context=9, steps=12, batch=4, warmup=3, checkpoint_every=5
)
STREAM = np.random.default_rng(0).integers(0, 50, 400)


def whole() -> network_training.Training:
    state = start(SMALL, 0)
    train(SMALL, 0, STREAM, state, SMALL.steps)
    return state


def test_training_lowers_the_loss_of_a_stream_that_repeats():
    stream = np.tile(np.arange(10), 50)
    long = NetworkConfig(text=TextConfig(entries=50), model=16, mlp=24, heads=2, context=9, steps=80, batch=4, warmup=3)
    state = start(long, 0)
    train(long, 0, stream, state, long.steps)
    assert state.loss[-5:].mean() < 0.5 * state.loss[:5].mean()


def test_a_killed_training_goes_on_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = Checkpoint(tmp_path / "network.npz")
    gradient, calls = network_training.gradient, []

    def killed_at_the_eighth(*arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return gradient(*arguments)

    monkeypatch.setattr(network_training, "gradient", killed_at_the_eighth)
    with pytest.raises(KeyboardInterrupt):
        network._go_on(SMALL, 0, STREAM, place)
    monkeypatch.undo()
    kept = place.load()
    assert kept is not None
    assert int(kept["step"]) == 5
    went_on = network._go_on(SMALL, 0, STREAM, place)
    for name, value in vars(whole()).items():
        assert np.asarray(getattr(went_on, name)).tobytes() == np.asarray(value).tobytes(), name


def test_networks_differ_by_their_number():
    other = start(SMALL, 1)
    assert np.abs(other.flat - start(SMALL, 0).flat).max() > 0.01
    first, second = (network_training.batch(SMALL, k, STREAM, 0) for k in (0, 1))
    assert (first != second).any()


def test_the_random_network_is_as_large_as_the_trained_one_and_points_elsewhere():
    trained = Network(SMALL, whole().flat, np.zeros(0))
    random = random_network(trained, 0)
    for name, part in split(random.flat, SMALL)._asdict().items():
        wanted = trained.weights._asdict()[name]
        if not name.startswith("b_"):
            np.testing.assert_allclose(np.linalg.norm(part), np.linalg.norm(wanted), rtol=1e-5)
            cosine = (part * wanted).sum() / np.linalg.norm(part) / np.linalg.norm(wanted)
            assert abs(cosine) < 0.3


def test_a_torn_checkpoint_counts_as_none(tmp_path: Path):
    place = Checkpoint(tmp_path / "a.npz")
    assert place.load() is None
    place.save({"x": np.arange(1000)})
    found = place.load()
    assert found is not None
    np.testing.assert_array_equal(found["x"], np.arange(1000))
    place.path.write_bytes(place.path.read_bytes()[:2000])
    assert place.load() is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_other_settings_other_code_or_other_text_have_another_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    text = tmp_path / "text"
    text.write_text("one")
    first = checkpoint("a", SMALL, (network_training,), (text,)).path
    assert checkpoint("a", SMALL, (network_training,), (text,)).path == first
    assert checkpoint("a", NetworkConfig(), (network_training,), (text,)).path != first
    assert checkpoint("a", SMALL, (network,), (text,)).path != first
    text.write_text("two")
    assert checkpoint("a", SMALL, (network_training,), (text,)).path != first


@pytest.fixture
def threads_that_change_places() -> Iterator[None]:
    """Let other threads go on at every collection, and collect often: in the midst of parsing too."""
    often = gc.get_threshold()

    def yield_to_others(phase: str, info: dict[str, int]) -> None:
        time.sleep(1e-5)

    gc.freeze()
    gc.callbacks.append(yield_to_others)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*often)
    gc.callbacks.remove(yield_to_others)
    gc.unfreeze()


def test_threads_that_ask_for_checkpoints_at_once_get_those_of_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads_that_change_places: None
):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)

    def place(module: ModuleType) -> Path:
        return checkpoint("a", SMALL, (module,), ()).path

    alone = [place(module) for module in network.MODULES]
    for _ in range(5):
        checkpoints._code.cache_clear()
        with ThreadPoolExecutor(len(alone)) as threads:
            assert list(threads.map(place, network.MODULES)) == alone


def test_threads_that_load_checkpoints_at_once_find_what_was_saved(tmp_path: Path, threads_that_change_places: None):
    places = [Checkpoint(tmp_path / f"{k}.npz") for k in range(8)]
    for k, place in enumerate(places):
        place.save({f"array {n}": np.full((2, 3), k) for n in range(8)})
    for _ in range(5):
        with ThreadPoolExecutor(len(places)) as threads:
            found = list(threads.map(Checkpoint.load, places))
        assert [set(np.ravel(list((each or {}).values()))) for each in found] == [{k} for k in range(8)]
