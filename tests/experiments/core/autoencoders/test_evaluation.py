import numpy as np
import pytest

from experiments.core.autoencoders import (
    VARIANTS,
    Autoencoder,
    Specification,
    Superposed,
    decode,
    dictionary,
    encode,
    evaluate_autoencoders,
    metrics,
    train_autoencoders,
)
from experiments.core.autoencoders.reference import Trainer, losses
from experiments.core.autoencoders.sources import EVALUATION, stream
from experiments.core.autoencoders.state import split
from experiments.core.autoencoders.train import rates


def trained_on(sources, models, steps=100):
    return train_autoencoders(sources, Specification(models, steps=steps, batch=64, learning_rate=1e-2))


def test_streamed_scores_equal_the_metrics_on_all_samples_at_once(sources, models):
    trained = trained_on(sources, models)
    found = evaluate_autoencoders(trained, sources, samples=5000, seed=4)
    for i, model in enumerate(models):
        source = sources[model.source]
        x, values = source.draw(stream(4, EVALUATION, model.source), 5000)
        f = encode(trained.state, models, i, x)
        output = decode(trained.state, models, i, f)
        cosine = metrics.cosines(dictionary(trained.state, models, i), source.directions)
        latent = metrics.detection(f > 0, values[:, np.abs(cosine).argmax(1)] > 0)
        assert found.mcc[i] == metrics.mcc(cosine)
        assert found.f1[i] == pytest.approx(latent.f1.mean())
        assert found.precision[i] == pytest.approx(latent.precision.mean())
        assert found.explained[i] == pytest.approx(metrics.explained_variance(x, output), abs=1e-5)
        assert found.l0[i] == metrics.l0(f)
        assert found.dead[i] == metrics.dead(f)
        assert found.shrinkage[i] == pytest.approx(metrics.shrinkage(x, output), rel=1e-4)
        best = cosine.argmax(0)
        by_feature = metrics.detection(f[:, best] > 0, values > 0).f1
        covered = metrics.covered(cosine.max(0), by_feature)
        assert found.coverage[i] == pytest.approx(covered.mean())
        if covered.any():
            lengths = np.linalg.norm(source.directions, axis=1)
            assert found.slope[i] == pytest.approx(np.median(metrics.slope(f[:, best], values * lengths)[covered]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_inference_gives_the_latents_of_the_loss(sources, variant):
    """On the training batch itself, where a batch top-k uses its own cut instead of the running one."""
    import torch

    trained = trained_on(sources, (Autoencoder(variant, 24, 3),))
    spec = Specification(trained.models, steps=100, batch=64)
    trainer = Trainer(spec, trained.state, rates(spec), "cpu")
    x = sources[0].draw(np.random.default_rng(5), 64).activations
    group, flat = trainer.parts[0], trainer.now.flat
    from experiments.core.autoencoders.reference import named

    found = losses(
        group, named(flat, 24, 8), torch.tensor(x[None]), trainer.now.penalty, trainer.now.silent > 9e9, spec
    )
    trained.state.threshold[:] = found.cut.numpy() - 1e-6
    assert np.array_equal(found.fired[0].numpy(), encode(trained.state, trained.models, 0, x) > 0)


def test_the_true_dictionary_recovers_orthogonal_features_completely():
    source = Superposed(np.eye(6, dtype=np.float32), 0.3)
    models = (Autoencoder("relu", 6, 2),)
    trained = trained_on(source, models, steps=1)
    part = split(trained.state.parameters, 6, 6)
    for name in ("W_dec", "W_enc"):
        getattr(part, name)[0] = np.eye(6)
    part.b_enc[:] = part.b_dec[:] = 0
    found = evaluate_autoencoders(trained, source)
    for name in ("mmcs", "mcc", "signed_mcc", "uniqueness", "coverage", "f1", "explained", "shrinkage", "slope"):
        assert getattr(found, name)[0] == pytest.approx(1), name
    assert found.l0[0] == found.true_l0[0]
    assert found.dead[0] == 0


def test_features_that_are_not_counted_do_not_matter(sources):
    models = (Autoencoder("topk", 12, 2),)
    trained = trained_on(sources, models)
    some = np.arange(20) < 10
    found = evaluate_autoencoders(trained, sources, counted=[some, some])
    cosine = metrics.cosines(dictionary(trained.state, models, 0), sources[0].directions[:10])
    assert found.mmcs[0] == pytest.approx(metrics.mmcs(cosine))
    assert np.isnan(found.cosine[0, 10:]).all()


def test_scores_beat_chance_after_training_and_are_chance_before(sources):
    models = tuple(Autoencoder("topk", 20, 2, seed, seed % 2) for seed in range(6))
    early, late = (evaluate_autoencoders(trained_on(sources, models, steps), sources) for steps in (1, 1500))
    assert early.signed_mcc.mean() == pytest.approx(early.chance_signed_mcc.mean(), abs=0.06)
    assert late.signed_mcc.mean() > late.chance_signed_mcc.mean() + 0.2


def test_without_superposition_the_batch_top_k_variants_find_every_feature_and_leave_no_latent_dead():
    source = Superposed(np.eye(16, dtype=np.float32), 1.5 / 16)
    models = tuple(Autoencoder(v, 16, 1, seed) for v in ("batchtopk", "matryoshka") for seed in range(3))
    spec = Specification(models, steps=1500, batch=128, learning_rate=1e-2, aux=True, resample=100, dead_after=5000)
    found = evaluate_autoencoders(train_autoencoders(source, spec), source)
    assert found.signed_mcc.min() > 0.99
    assert found.dead.max() == 0
