"""Small classifiers of handwritten digits with a linear bottleneck, many widths and seeds at once.

The images are scikit-learn's 1797 digits of 8 x 8 pixels (Alpaydin and Kaynak 1998, UCI repository), scaled to [0, 1].
`logits = V^T (P ReLU(A x + a)) + c`: ten classes are read from `width` dimensions, column k of `V` being the direction
of class k. Softmax does not see what all classes have in common, so their mean direction is taken out before measuring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from experiments.core.metrics import superposition
from experiments.core.threads import in_parallel
from experiments.core.training.reference import adam_step
from experiments.core.training.seeds import DATA, START, stream
from experiments.core.training.specification import Recipe

Array = NDArray[np.float64]

CLASSES = 10


class Images(NamedTuple):
    """Images (sample, 64) in [0, 1] and their classes (sample,), to learn from and to test on."""

    x: Tensor
    label: Tensor
    test_x: Tensor
    test_label: Tensor


@dataclass(frozen=True)
class Classifier:
    """Sizes and training of the classifiers; Adam, the learning rate falling to 0 along a cosine."""

    units: int = 48
    steps: int = 800
    batch: int = 64
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3


class Trained(NamedTuple):
    """Parameters of classifiers (instance, ...): A, a, P, V, c; unused dimensions of the bottleneck are zero."""

    A: Tensor
    a: Tensor
    P: Tensor
    V: Tensor
    c: Tensor


def load_images(tested: int, seed: int) -> Images:
    """Return the digits in a random order, the last `tested` of them for testing."""
    from sklearn.datasets import load_digits  # takes its time to import

    x, label = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    images = torch.from_numpy((x[order] / 16).astype(np.float32))
    labels = torch.from_numpy(label[order].astype(np.int64))
    return Images(images[:-tested], labels[:-tested], images[-tested:], labels[-tested:])


def train_classifiers(
    images: Sequence[Images], widths: ArrayLike, seeds: Sequence[int], how: Classifier
) -> list[Trained]:
    """Return trained classifiers of all `widths` (width,), one `Trained` for each seed and its own split of images."""
    chosen = np.asarray(widths)
    keep = torch.from_numpy((np.arange(chosen.max()) < chosen[:, None]).astype(np.float32))
    return in_parallel(lambda part: _one_seed(part[0], keep, part[1], how), list(zip(images, seeds, strict=True)))


def _one_seed(images: Images, keep: Tensor, seed: int, how: Classifier) -> Trained:
    """Train every width from one start, on one order of the images; `keep` (width, dimension) masks the bottleneck."""
    start, draws = stream(seed, START), stream(seed, DATA)
    instances, most = keep.shape
    shapes = ((64, how.units), (how.units, most), (most, CLASSES))
    A, P, V = (
        torch.tensor(start.standard_normal(shape) / shape[0] ** 0.5, dtype=torch.float32)
        .expand(instances, -1, -1)
        .clone()
        for shape in shapes
    )
    values = [A, torch.zeros(instances, how.units), P * keep[:, None], V * keep[:, :, None]]
    values.append(torch.zeros(instances, CLASSES))
    moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in values]
    recipe = Recipe(steps=how.steps, batch=how.batch, weight_decay=how.weight_decay)
    for step in range(how.steps):
        chosen = torch.from_numpy(draws.integers(0, len(images.x), how.batch))
        slopes = list(gradients(Trained(*values), images.x[chosen], images.label[chosen]))
        slopes[2], slopes[3] = slopes[2] * keep[:, None], slopes[3] * keep[:, :, None]
        rate = torch.tensor(how.learning_rate * 0.5 * (1 + np.cos(np.pi * step / how.steps)))
        for k, slope in enumerate(slopes):
            first, second = moments[k]
            values[k], first, second = adam_step(recipe, step + 1, rate, values[k], slope, first, second)
            moments[k] = (first, second)
    return Trained(*values)


def logits(model: Trained, x: Tensor) -> Tensor:
    """Return logits (instance, sample, class) of images (sample, 64) or (instance, sample, 64)."""
    hidden = torch.relu(x @ model.A + model.a[:, None])
    return torch.baddbmm(model.c[:, None], hidden @ model.P, model.V)


def gradients(model: Trained, x: Tensor, label: Tensor) -> tuple[Tensor, ...]:
    """Return the derivatives of the mean cross-entropy (each instance's own) by every parameter."""
    hidden = torch.relu(x @ model.A + model.a[:, None])
    h = hidden @ model.P
    error = torch.softmax(torch.baddbmm(model.c[:, None], h, model.V), -1)
    error = (error - torch.nn.functional.one_hot(label, CLASSES)) / len(label)
    back = error @ model.V.mT
    through = (back @ model.P.mT) * (hidden > 0)
    return x.T @ through, through.sum(1), hidden.mT @ back, h.mT @ error, error.sum(1)


def interference(model: Trained) -> Array:
    """Return, per classifier, how much directions of classes overlap: the mean of sum_{j != i} cos_ij^2, (instance,).

    1/9 at least, for ten directions whose mean is zero: a simplex in nine dimensions.
    """
    V = model.V.double().numpy()
    V = V - V.mean(-1, keepdims=True)
    length = np.linalg.norm(V, axis=-2, keepdims=True)
    return np.asarray(superposition(V / np.maximum(length, 1e-12)).mean(-1))


def fooled(model: Trained, images: Images, size: float, *, restarts: int, steps: int, seed: int) -> tuple[Array, Array]:
    """Return accuracy (instance,) on test images, and the share of right answers that an l2 attack of `size` turns.

    Projected gradient ascent on the largest other logit minus the right one, from the image and `restarts` random
    starts; pixels stay in [0, 1].
    """
    x, label = images.test_x, images.test_label[:, None]
    right = (logits(model, x).argmax(-1) == images.test_label).double()
    turned = torch.zeros_like(right, dtype=torch.bool)
    generator = torch.Generator().manual_seed(seed)
    for start in range(restarts + 1):
        drawn = torch.randn(x.shape, generator=generator)
        delta = (size * drawn / drawn.norm(dim=-1, keepdim=True) if start else 0 * drawn).expand(*right.shape, -1)
        for _ in range(steps):
            margin, slope = margins(model, x + delta, label)
            turned |= margin > 0
            delta = delta + 2.5 * size / steps * slope / slope.norm(dim=-1, keepdim=True).clamp_min(1e-20)
            delta = delta * (size / delta.norm(dim=-1, keepdim=True).clamp_min(1e-20)).clamp_max(1.0)
            delta = (x + delta).clamp(0, 1) - x
        turned |= margins(model, x + delta, label)[0] > 0
    share = (turned * right).sum(-1) / right.sum(-1)
    return right.mean(-1).numpy(), share.numpy()


def margins(model: Trained, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest other logit minus the right one (instance, sample), and its derivative by x."""
    hidden = torch.relu(x @ model.A + model.a[:, None])
    found = torch.baddbmm(model.c[:, None], hidden @ model.P, model.V)
    right = label.expand(len(found), -1, -1)
    others = found.scatter(-1, right, -torch.inf)
    best, rival = others.max(-1, keepdim=True)
    picked = torch.zeros_like(found).scatter(-1, rival, 1.0).scatter(-1, right, -1.0)
    slope = ((picked @ model.V.mT) @ model.P.mT * (hidden > 0)) @ model.A.mT
    return (best - found.gather(-1, right)).squeeze(-1), slope
