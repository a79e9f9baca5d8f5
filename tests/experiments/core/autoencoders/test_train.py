import numpy as np
import pytest

from experiments.core.autoencoders import VARIANTS, Autoencoder, Specification, train_autoencoders
from experiments.core.autoencoders.reference import Tensors, Trainer, gradients
from experiments.core.autoencoders.remedies import resample
from experiments.core.autoencoders.sources import DATA, stream
from experiments.core.autoencoders.state import State, first_state, split
from experiments.core.autoencoders.train import rates
from experiments.core.training.checks import SpecificationError

REMEDIES = ({}, {"aux": True, "aux_latents": 3}, {"resample": 40}, {"aux": True, "resample": 40})


def specification(models, steps=200, **options):
    settings = {"batch": 64, "dead_after": 640, "warmup": 10, "resample_until": 0.8}
    return Specification(tuple(models), steps=steps, **(settings | options))


def arrays(state: State):
    return state.parameters, state.first, state.second, state.penalty, state.threshold, state.silent


def same(one: State, other: State):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


@pytest.mark.parametrize("options", REMEDIES, ids=str)
def test_the_kernel_follows_automatic_differentiation_over_200_steps(sources, models, options):
    spec = specification(models, **options)
    fused = train_autoencoders(sources, spec, backend="cpu").state
    plain = train_autoencoders(sources, spec, backend="reference").state
    assert np.abs(fused.parameters - plain.parameters).max() < 1e-5
    assert np.abs(fused.penalty / plain.penalty - 1).max() < 1e-5
    assert np.abs(fused.threshold - plain.threshold).max() < 1e-5
    assert (fused.silent == plain.silent).mean() > 0.99  # a latent may fire by a hair in one of them


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_hand_derived_gradient_is_that_of_the_loss(sources, variant):
    """Checked where every latent has another bias, scale and threshold, and some are dead."""
    from experiments.core.autoencoders.cpu import Kernel, flattened, unfilled
    from experiments.core.autoencoders.cpu_encode import new_lists
    from experiments.core.autoencoders.cpu_kernel import gradient, new_scratch

    spec = specification([Autoencoder(variant, 24, 4)], aux=True, aux_latents=3, bandwidth=0.4)
    state = first_state(tuple(sources), spec)
    rng = np.random.default_rng(1)
    part = split(state.parameters, 24, 8)
    part.W_enc[:] += 0.2 * rng.standard_normal(part.W_enc.shape)
    for vector, scale in ((part.b_enc, 0.1), (part.r_mag, 0.3), (part.extra, 0.3)):
        vector[:] += scale * rng.standard_normal(vector.shape)
    state.silent[:, ::3] = 10_000
    x = sources[0].draw(rng, 64).activations

    kernel = Kernel(spec, state.copy(), rates(spec), 1)
    scratch = new_scratch(24, 8, kernel.instances.ends.shape[1])
    gradient(kernel.options, kernel.instances, 0, new_lists(64, 24, 8), scratch, flattened(x), 0)
    trainer = Trainer(spec, state, rates(spec), "cpu")
    found = gradients(spec, trainer.parts, trainer.now, trainer.now.flat.new_tensor(x[None]))
    exact = found.flat.numpy()[0]
    assert isinstance(trainer.now, Tensors)
    assert np.abs(exact).max() > 1e-2
    assert np.abs(unfilled(scratch.gradient[None], 24, 8)[0] - exact).max() < 1e-5 * np.abs(exact).max()


def test_the_gradient_of_the_smooth_variant_is_a_difference_quotient(sources):
    """An oracle that shares no formula with either backend: the loss of `relu`, written out, in float64."""
    spec = specification([Autoencoder("relu", 12, 3, penalty=0.2)])
    state = first_state(tuple(sources), spec)
    trainer = Trainer(spec, state, rates(spec), "cpu")
    x = sources[0].draw(np.random.default_rng(2), 64).activations
    slope = gradients(spec, trainer.parts, trainer.now, trainer.now.flat.new_tensor(x[None])).flat.numpy()[0]

    def loss(flat):
        W_dec, W_enc, b_enc, _, _, b_dec = split(flat, 12, 8)
        f = np.maximum((x - b_dec) @ W_enc.T + b_enc, 0)
        return ((f @ W_dec + b_dec - x) ** 2).sum(1).mean() + 0.2 * f.sum(1).mean()

    flat = state.parameters[0].astype(np.float64)
    for index in (0, 50, 96, 150, 193, 200, 230, 235):
        step = np.zeros_like(flat)
        step[index] = 1e-6
        assert slope[index] == pytest.approx((loss(flat + step) - loss(flat - step)) / 2e-6, abs=2e-4)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_training_together_equals_training_one_by_one(sources, models, backend):
    together = train_autoencoders(sources, specification(models, aux=True, resample=40), backend=backend).state
    for i, model in enumerate(models):
        alone = train_autoencoders(sources, specification([model], aux=True, resample=40), backend=backend).state
        narrow, wide = alone.named, together.named
        for one, all_ in zip(narrow, wide, strict=True):
            inside = all_[i] if one is narrow.b_dec else all_[i, : model.width]
            assert np.abs(one[0] - inside).max() < (1e-12 if backend == "cpu" else 1e-5)


def test_the_result_does_not_depend_on_the_number_of_threads(sources, models):
    spec = specification(models, steps=60, aux=True, resample=20)
    one, three = (train_autoencoders(sources, spec, threads=threads).state for threads in (1, 3))
    assert same(one, three)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("stop", [20, 33])
def test_training_goes_on_exactly_where_it_stopped(sources, models, backend, stop):
    spec = specification(models, steps=60, aux=True, resample=20)
    whole = train_autoencoders(sources, spec, backend=backend).state
    half = train_autoencoders(sources, spec, backend=backend, until=stop).state
    kept = half.copy()
    resumed = train_autoencoders(sources, spec, backend=backend, state=half).state
    assert resumed.step == 60
    assert same(resumed, whole)
    assert same(half, kept), "a state that is given back must not change"


def test_decoder_rows_keep_unit_length_and_a_frozen_decoder_does_not_move(sources, models):
    spec = specification(models, steps=50)
    start, end = first_state(tuple(sources), spec).named, train_autoencoders(sources, spec).state.named
    for i, model in enumerate(models):
        rows = end.W_dec[i, : model.width]
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
        assert np.array_equal(rows, start.W_dec[i, : model.width]) == model.frozen


def test_penalised_variants_reach_the_number_of_active_latents_they_are_asked_for(sources):
    asked = tuple(Autoencoder(v, 20, a) for v in ("relu", "gated", "jumprelu") for a in (1.5, 3))
    spec = Specification(asked, steps=1500, batch=128, learning_rate=1e-2)
    state = train_autoencoders(sources, spec).state
    from experiments.core.autoencoders import encode

    x = sources[0].draw(np.random.default_rng(3), 4096).activations
    for i, model in enumerate(asked):
        assert (encode(state, asked, i, x) > 0).sum(1).mean() == pytest.approx(model.active, rel=0.1)


def test_a_given_penalty_stays(sources):
    spec = specification([Autoencoder("relu", 12, 3, penalty=0.25)], steps=5)
    assert train_autoencoders(sources, spec).state.penalty[0] == np.float32(0.25)


def test_a_resampled_latent_points_at_a_residual(sources):
    spec = specification([Autoencoder("topk", 12, 2)], resample=10)
    state = train_autoencoders(sources, spec, until=15).state.copy()
    before = state.named.W_dec[0].copy()
    state.silent[0] = 0
    state.silent[0, 5] = 640
    x = sources[0].draw(stream(0, DATA, 0, 99), 1).activations  # one sample: there is only one residual to point at
    from experiments.core.autoencoders import decode, encode

    residual = (x - decode(state, spec.models, 0, encode(state, spec.models, 0, x)))[0]
    resample(spec, state, {0: x})
    after = state.named.W_dec[0]
    assert np.allclose(after[5], residual / np.linalg.norm(residual), atol=1e-6)
    assert np.array_equal(np.delete(after, 5, axis=0), np.delete(before, 5, axis=0))
    assert not split(state.first, 12, 8).W_dec[0, 5].any()
    assert state.silent[0, 5] == 0


def test_a_source_that_does_not_exist_is_named(sources):
    with pytest.raises(SpecificationError, match="names source 7"):
        train_autoencoders(sources, specification([Autoencoder("relu", 12, 3, source=7)]))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Autoencoder("relo", 12, 3), "no variant 'relo'"),  # type: ignore[arg-type]
        (Autoencoder("topk", 12, 2.5), "whole number"),
        (Autoencoder("topk", 12, 13), "0 < active <= width"),
        (Autoencoder("topk", 12, 2, penalty=0.1), "penalty"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(model, message):
    with pytest.raises(SpecificationError, match=message):
        specification([model])
