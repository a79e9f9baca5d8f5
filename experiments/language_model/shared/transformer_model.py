"""A transformer of one layer, its loss and its gradient, in numpy.

With token embedding E, position embedding P, and norm(x) = x / sqrt(mean x² + ε), at every position:

    x₀ = E[token] + P[position]
    x₁ = x₀ + attention(norm(x₀)) W_O         heads with causal softmax of q·k / sqrt(d_head)
    h  = ReLU(norm(x₁) W_in + b_in)           the MLP activations that dictionaries are trained on
    x₂ = x₁ + h W_out + b_out,   logits = x₂ U

There is no normalisation before the unembedding U, so logits are linear in h: what a direction of h does to them is
the same everywhere. The gradient is worked out by hand and tested against automatic differentiation. Numpy, since
under the instruction set to which the project holds every library its products are three times as fast as torch's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.network_config import NetworkConfig

Array = NDArray[np.float32]
Ids = NDArray[np.int64]

EPSILON = np.float32(1e-5)
ROWS = 1024
"""Positions whose logits are held at a time."""


class Weights(NamedTuple):
    """Named views of one flat vector; see the module for the letters."""

    E: Array  # (token, model)
    P: Array  # (position, model)
    W_QKV: Array  # (model, 3 · model): queries, keys, values
    W_O: Array  # (model, model)
    W_in: Array  # (model, mlp)
    b_in: Array  # (mlp,)
    W_out: Array  # (mlp, model)
    b_out: Array  # (model,)
    U: Array  # (model, token)


class Passed(NamedTuple):
    """What a forward pass keeps, positions flattened to one axis (batch · position, ...) but for attention."""

    a: Array
    scale_a: Array
    qkv: Array  # (3, batch, head, position, d_head)
    pattern: Array  # (batch, head, position, position)
    z: Array
    x1: Array
    m: Array
    scale_m: Array
    h: Array
    x2: Array


def shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight."""
    d, mlp, v = config.model, config.mlp, config.text.entries
    return {"E": (v, d), "P": (config.context, d), "W_QKV": (d, 3 * d), "W_O": (d, d), "W_in": (d, mlp),
            "b_in": (mlp,), "W_out": (mlp, d), "b_out": (d,), "U": (d, v)}  # fmt: skip


def split(flat: Array, config: NetworkConfig) -> Weights:
    """Return the named views of a flat vector."""
    found, place = {}, 0
    for name, shape in shapes(config).items():
        size = int(np.prod(shape))
        found[name] = flat[place : place + size].reshape(shape)
        place += size
    return Weights(**found)


def first_weights(config: NetworkConfig, seed: int) -> Array:
    """Return flat random weights: variance 1/inputs in matrices, 0.02 for embeddings, none in biases."""
    rng = np.random.default_rng([config.seed, seed, 1])
    parts = []
    for name, shape in shapes(config).items():
        deviation = 0.0 if name.startswith("b_") else 0.02 if name in ("E", "P") else shape[0] ** -0.5
        parts.append(deviation * rng.standard_normal(shape).ravel())
    return np.concatenate(parts).astype(np.float32)


def forward(w: Weights, ids: Ids, heads: int) -> Passed:
    """Return all activations for `ids` (batch, position)."""
    batch, context = ids.shape
    d = w.E.shape[1]
    x0 = np.asarray(w.E[ids] + w.P[:context], dtype=np.float32).reshape(-1, d)
    a, scale_a = _norm(x0)
    qkv = np.ascontiguousarray((a @ w.W_QKV).reshape(batch, context, 3, heads, d // heads).transpose(2, 0, 3, 1, 4))
    pattern = _pattern(qkv[0], qkv[1])
    z = np.ascontiguousarray((pattern @ qkv[2]).transpose(0, 2, 1, 3)).reshape(-1, d)
    x1 = np.asarray(x0 + z @ w.W_O, dtype=np.float32)
    m, scale_m = _norm(x1)
    h = np.maximum(m @ w.W_in + w.b_in, np.float32(0))
    return Passed(a, scale_a, qkv, pattern, z, x1, m, scale_m, h, residual(w, x1, h))


def residual(w: Weights, x1: Array, h: Array) -> Array:
    """Return x₂ from what enters the MLP and its activations, which may be somebody else's."""
    return np.asarray(x1 + h @ w.W_out + w.b_out)


def losses(w: Weights, x2: Array, targets: Ids) -> Array:
    """Return the cross-entropy in nats (position,) of targets (position,), given x₂ (position, model)."""
    return np.concatenate([_chunk(w.U, x2[k : k + ROWS], targets[k : k + ROWS])[0] for k in range(0, len(x2), ROWS)])


def gradient(flat: Array, config: NetworkConfig, ids: Ids) -> tuple[float, Array]:
    """Return the mean loss over all positions of `ids` (batch, context + 1), and its gradient (parameter,)."""
    w, g = split(flat, config), split(into := np.zeros_like(flat), config)
    read, targets = ids[:, :-1], ids[:, 1:].ravel()
    kept = forward(w, read, config.heads)
    loss, dx2 = _unembedding(w, g, kept.x2, targets)
    dx1 = dx2 + _mlp(w, g, kept, dx2)
    dx0 = dx1 + _attention(w, g, kept, dx1, config.heads)
    np.add.at(g.E, read.ravel(), dx0)
    g.P[: read.shape[1]] = dx0.reshape(*read.shape, -1).sum(0)
    return loss, into


def _norm(x: Array) -> tuple[Array, Array]:
    scale = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON)
    return x * scale, scale


def _norm_back(y: Array, scale: Array, dy: Array) -> Array:
    return np.asarray(scale * (dy - y * (dy * y).mean(-1, keepdims=True)))


def _pattern(q: Array, k: Array) -> Array:
    """Return causal attention (batch, head, position, position)."""
    context, d_head = q.shape[-2:]
    scores = np.asarray((q * np.float32(d_head**-0.5)) @ k.swapaxes(-1, -2), dtype=np.float32)
    scores += np.triu(np.full((context, context), -1e9, np.float32), 1)
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def _chunk(U: Array, x2: Array, targets: Ids) -> tuple[Array, Array]:
    """Return the loss of each position, and the probabilities of tokens."""
    logits = x2 @ U
    logits -= logits.max(-1, keepdims=True)
    rows = np.arange(len(x2))
    at_target = logits[rows, targets]
    np.exp(logits, out=logits)
    total = logits.sum(-1, keepdims=True)
    logits /= total
    return np.log(total[:, 0]) - at_target, logits


def _unembedding(w: Weights, g: Weights, x2: Array, targets: Ids) -> tuple[float, Array]:
    dx2, total = np.empty_like(x2), 0.0
    for k in range(0, len(x2), ROWS):
        rows = slice(k, k + ROWS)
        loss, p = _chunk(w.U, x2[rows], targets[rows])
        total += float(loss.sum(dtype=np.float64))
        p[np.arange(len(p)), targets[rows]] -= 1
        p /= np.float32(len(x2))
        g.U[...] += x2[rows].T @ p
        dx2[rows] = p @ w.U.T
    return total / len(x2), dx2


def _mlp(w: Weights, g: Weights, kept: Passed, dx2: Array) -> Array:
    g.W_out[...] = kept.h.T @ dx2
    g.b_out[...] = dx2.sum(0)
    dh: Array = (dx2 @ w.W_out.T) * (kept.h > 0)
    g.W_in[...] = kept.m.T @ dh
    g.b_in[...] = dh.sum(0)
    return _norm_back(kept.m, kept.scale_m, dh @ w.W_in.T)


def _attention(w: Weights, g: Weights, kept: Passed, dx1: Array, heads: int) -> Array:
    q, k, v = kept.qkv
    batch, _, context, d_head = q.shape
    g.W_O[...] = kept.z.T @ dx1
    dz = np.ascontiguousarray((dx1 @ w.W_O.T).reshape(batch, context, heads, d_head).transpose(0, 2, 1, 3))
    dpattern = dz @ v.swapaxes(-1, -2)
    dv = kept.pattern.swapaxes(-1, -2) @ dz
    dscores = kept.pattern * (dpattern - (dpattern * kept.pattern).sum(-1, keepdims=True))
    dscores *= np.float32(d_head**-0.5)
    dq, dk = dscores @ k, dscores.swapaxes(-1, -2) @ q
    dqkv = np.stack([dq, dk, dv]).transpose(1, 3, 0, 2, 4).reshape(batch * context, -1)
    g.W_QKV[...] = kept.a.T @ dqkv
    return _norm_back(kept.a, kept.scale_a, dqkv @ w.W_QKV.T)
