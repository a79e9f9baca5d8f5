"""Splits without knowing the leaves: how many latents a sparse probe needs to tell whether a cluster is on.

**Convention.** F1(k) is the score of a logistic regression on the k latents whose mean differs most between samples
with and without the concept. The number of latents is the largest k for which every step up to k added more than
`JUMP`, so 1 means *no split*. (SAEBench reports this number, while its function of a similar name subtracts 1.) Chanin
et al. 2024, "A is for Absorption" (2409.14507).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.autoencoders.metrics import detection

JUMP = 0.03
"""Least gain in F1 that counts as another latent."""

Array = NDArray[np.float64]


def probe_curve(latents: ArrayLike, present: ArrayLike, most: int) -> Array:
    """Return F1 (k - 1,) on held-out samples of probes on the best k = 1, ..., `most` latents.

    `latents` (sample, latent) and `present` (sample,); the first half trains, the second scores. Fewer than `most`
    latents repeat the last score. Blind spot: latents are ranked one by one, so two that only tell something together
    come late.
    """
    x, y = np.asarray(latents, dtype=np.float64), np.asarray(present, dtype=bool)
    half = len(x) // 2
    difference = np.abs(x[:half][y[:half]].mean(0) - x[:half][~y[:half]].mean(0))
    order = np.argsort(-difference, kind="stable")[:most]
    curve = [_held_out_f1(x[:, order[: k + 1]], y, half) for k in range(order.size)]
    return np.array(curve + curve[-1:] * (most - len(curve)))


def probe_latents(curve: ArrayLike, jump: float = JUMP) -> int:
    """Return how many latents a concept is spread over by the convention above, at least 1."""
    gains = np.diff(np.asarray(curve, dtype=np.float64)) > jump
    return 1 + int(np.argmin(np.append(gains, False)))


def _held_out_f1(x: Array, y: NDArray[np.bool_], half: int) -> float:
    weights = logistic_fit(x[:half], y[:half])
    guess = x[half:] @ weights[:-1] + weights[-1] > 0
    return float(detection(guess[:, None], y[half:, None]).f1[0])


def logistic_fit(x: Array, y: NDArray[np.bool_], ridge: float = 1e-3, steps: int = 30) -> Array:
    """Return weights (input + 1,), the constant last, of a logistic regression by Newton's method.

    Minimises the mean log loss plus `ridge / 2` times the squared weights, the constant's left out.
    """
    inputs = np.column_stack([x, np.ones(len(x))])
    penalty = np.diag([ridge] * x.shape[1] + [1e-9])
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (p - y) / len(y) + penalty @ weights
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs / len(y) + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-6:
            break
    return weights
