"""Which latents the kernel lists, against a plain sort."""

import numpy as np
import pytest

from experiments.core.autoencoders import Autoencoder, Specification
from experiments.core.autoencoders.cpu import Kernel, flattened
from experiments.core.autoencoders.cpu_encode import BATCHTOPK, TOPK, blocks, list_active, new_lists
from experiments.core.autoencoders.cpu_update import Named
from experiments.core.autoencoders.state import first_state, split
from experiments.core.autoencoders.train import rates
from experiments.core.training.cpu_vectors import padded

BATCH, WIDTH = 50, 90  # neither is a multiple of what the kernel takes at once


def listed(sources, variant, active, guess):
    """Return the kernel's entries (sample, latent), 0 where none is, with all pre-activations, and what it returns."""
    spec = Specification((Autoencoder("batchtopk", WIDTH, active),), batch=BATCH)
    state = first_state(tuple(sources), spec)
    kernel = Kernel(spec, state, rates(spec), 1)
    x = sources[0].draw(np.random.default_rng(3), BATCH).activations
    shape = tuple(np.uint64(size) for size in (BATCH, state.hidden, padded(state.hidden), WIDTH))
    parts = split(kernel.instances.parameters[0], blocks(WIDTH), padded(state.hidden))
    w = Named(*(part.ravel() for part in parts))
    lists = new_lists(BATCH, WIDTH, state.hidden)
    least = list_active(lists, shape, variant, active, np.float32(guess), 0.1, w, flattened(x), np.uint64(0))
    found = np.zeros((BATCH, WIDTH), np.float32)
    for s in range(BATCH):
        for e in range(lists.starts[s], lists.starts[s + 1]):
            found[s, lists.latent[e]] = lists.value[e]
    W = state.named
    return found, (x - W.b_dec[0]) @ W.W_enc[0].T + W.b_enc[0], least


@pytest.mark.parametrize("guess", [-1.0, 0.0, 1e-3, 0.3, 5.0, 1e6])
def test_a_batch_keeps_its_largest_whatever_was_guessed(sources, guess):
    found, v, least = listed(sources, BATCHTOPK, 4.5, guess)
    kept = np.sort(v, axis=None)[-225:]
    assert kept[0] > 0
    assert (found > 0).sum() == 225
    assert np.sort(found[found > 0]) == pytest.approx(kept, rel=1e-4, abs=1e-6)
    assert least == found[found > 0].min()


def test_a_batch_keeps_positive_values_only(sources):
    found, v, _ = listed(sources, BATCHTOPK, 89.0, 0.2)
    assert found == pytest.approx(np.maximum(v, 0), rel=1e-4, abs=1e-5)


def test_a_sample_keeps_its_largest(sources):
    found, v, least = listed(sources, TOPK, 3.0, -1.0)
    cut = np.maximum(np.sort(v, axis=1)[:, -3, None], 0)
    assert found == pytest.approx(np.where(v >= cut, np.maximum(v, 0), 0), rel=1e-4, abs=1e-5)
    assert least == 0
