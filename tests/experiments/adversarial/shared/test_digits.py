"""Classifiers of digits against automatic differentiation and attacks against what they may do."""

import numpy as np
import pytest
import torch

from experiments.adversarial.shared.digits import (
    Classifier,
    Images,
    Trained,
    fooled,
    gradients,
    interference,
    load_images,
    logits,
    margins,
    train_classifiers,
)

SMALL = Classifier(units=12, steps=300, batch=32)


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(200, 0)


@pytest.fixture(scope="module")
def trained(images) -> list[Trained]:
    return train_classifiers([images, images], [2, 9], [0, 1], SMALL)


def random_model() -> Trained:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 64, 6), (2, 6), (2, 6, 3), (2, 3, 10), (2, 10))
    return Trained(*(torch.randn(shape, generator=generator, dtype=torch.float64) / 4 for shape in shapes))


def test_images_are_split_without_overlap_and_lie_in_the_unit_cube(images):
    assert (len(images.x), len(images.test_x)) == (1597, 200)
    assert (float(images.x.min()), float(images.x.max())) == (0, 1)
    assert set(images.test_label.tolist()) == set(range(10))


def test_every_seed_leaves_out_other_images(images):
    other = load_images(200, 1)
    assert not np.array_equal(images.test_x.numpy(), other.test_x.numpy())
    assert float(images.x.sum() + images.test_x.sum()) == pytest.approx(float(other.x.sum() + other.test_x.sum()))


def test_gradients_are_those_of_autograd():
    model = Trained(*(each.requires_grad_() for each in random_model()))
    x, label = torch.rand(5, 64, dtype=torch.float64), torch.tensor([0, 3, 3, 9, 1])
    loss = sum(torch.nn.functional.cross_entropy(each, label) for each in logits(model, x))
    for one, two in zip(torch.autograd.grad(loss, model), gradients(model, x, label), strict=True):
        assert torch.allclose(one, two)


def test_margins_and_their_derivative_are_those_of_autograd():
    model = random_model()
    x = torch.rand(2, 5, 64, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0, 3, 3, 9, 1])[:, None]
    margin, slope = margins(model, x, label)
    found, margin_found = logits(model, x.detach()), margin.detach()
    for k in range(2):
        for s in range(5):
            others = [float(found[k, s, c]) for c in range(10) if c != label[s]]
            assert float(margin_found[k, s]) == pytest.approx(max(others) - float(found[k, s, label[s, 0]]))
    (expected,) = torch.autograd.grad(margin.sum(), x)
    assert torch.allclose(expected, slope)


def test_a_narrow_bottleneck_uses_no_other_dimension(trained):
    for model in trained:
        assert not model.P[0, :, 2:].any()
        assert not model.V[0, 2:].any()
        assert model.V[1].abs().sum(-1).min() > 0


def test_digits_are_learned(trained, images):
    for model in trained:
        accuracy, _ = fooled(model, images, 0.0, restarts=0, steps=1, seed=0)
        assert accuracy[1] > 0.9


def test_larger_attacks_turn_more_answers_and_none_turns_none(trained, images):
    shares = [fooled(trained[0], images, size, restarts=1, steps=8, seed=0)[1] for size in (0.0, 0.2, 0.6)]
    assert not shares[0].any()
    assert (shares[1] < shares[2]).all()


def test_directions_of_a_simplex_have_the_least_interference():
    simplex = torch.eye(10, dtype=torch.float64)[None]
    circle = torch.tensor(np.array([np.cos(np.arange(10) * 0.2 * np.pi), np.sin(np.arange(10) * 0.2 * np.pi)]))[None]
    rest = random_model()
    assert interference(rest._replace(V=simplex))[0] == pytest.approx(1 / 9)
    assert interference(rest._replace(V=circle))[0] == pytest.approx(4.0)
