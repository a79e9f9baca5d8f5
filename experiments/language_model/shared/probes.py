"""Splitting and absorption by the conventions of SAEBench (2503.09532), after Chanin et al. 2024 (2409.14507).

**Splitting.** F1(k) is the score, on documents not trained on, of a logistic regression on the k latents whose mean
differs most between tokens with the concept and without. The number of latents is the largest k for which every step up
to k added more than `JUMP`, so 1 means *no split*.

**Absorption.** The *main latents* of a concept are those of that count. A token of the concept that the probe direction
recognises is *absorbed* if all main latents are silent and some other latent, whose row has a cosine of at least
`COSINE` with the direction, contributes at least `STANDS_IN` of the token's magnitude along it. Deviation: SAEBench's
direction is that of a logistic regression, here it is the difference of means, as for carriers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.detection import f1_scores
from experiments.language_model.shared.dictionaries import Dictionary
from experiments.language_model.shared.splits import Heading

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

JUMP, COSINE, STANDS_IN = 0.03, 0.025, 0.4
MOST = 8
"""Latents that a probe may use, at most."""
OTHERS = 4000
"""Tokens without the concept that a probe sees, at most."""


class Probed(NamedTuple):
    """The number of `latents` by the convention, F1 (k - 1,) of probes on k latents, and the share `absorbed` of tokens
    that the probe direction recognises."""

    latents: int
    curve: Array
    absorbed: float


def probed(
    one: Dictionary, f: sparse.csr_matrix, concept: Heading, of: Events, first: Flags, rng: np.random.Generator
) -> Probed:
    """Return both scores of one concept; `first` (token,) says which tokens a probe is trained on."""
    on = np.zeros(len(first), bool)
    on[of.token] = True
    off = np.flatnonzero(~on)
    rows = np.sort(np.concatenate([of.token, rng.choice(off, min(OTHERS, len(off)), replace=False)]))
    chosen, y, train = f[rows], on[rows], first[rows]
    difference = np.abs(np.asarray(chosen[train & y].mean(0)).ravel() - np.asarray(chosen[train & ~y].mean(0)).ravel())
    order = np.argsort(-difference, kind="stable")[:MOST]
    x = np.asarray(chosen[:, order].todense(), dtype=np.float64)
    curve = np.array([_held_out_f1(x[:, : k + 1], y, train) for k in range(len(order))])
    count = 1 + int(np.argmin(np.append(np.diff(curve) > JUMP, False)))
    return Probed(count, curve, absorbed(one, f, concept, of, order[:count]))


def absorbed(one: Dictionary, f: sparse.csr_matrix, concept: Heading, of: Events, main: NDArray[np.intp]) -> float:
    """Return the share of the concept's tokens, among those that the direction recognises, that are absorbed.

    A token is recognised if it lies nearer to the mean of the concept's tokens than to that of the others.
    """
    recognised = concept.magnitude > concept.apart / 2
    known = of.token[recognised]
    magnitude = concept.magnitude[recognised] * np.float32(one.scale)
    if not len(known):
        return 0.0
    mine = f[known]
    silent = np.asarray(mine[:, main].sum(1)).ravel() == 0
    cosine = one.W_dec @ concept.direction
    weight = np.where(cosine >= COSINE, cosine, 0.0)
    weight[main] = 0
    strongest = np.asarray(mine.multiply(weight).tocsr().max(1).todense()).ravel()
    return float((silent & (strongest >= STANDS_IN * magnitude)).mean())


def _held_out_f1(x: Array, y: Flags, train: Flags) -> float:
    weights = logistic_fit(x[train], y[train])
    guess = x[~train] @ weights[:-1] + weights[-1] > 0
    present = y[~train]
    return float(f1_scores((guess & present).sum(), guess.sum(), present.sum()))


def logistic_fit(x: Array, y: Flags, ridge: float = 1e-3, steps: int = 30) -> Array:
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
