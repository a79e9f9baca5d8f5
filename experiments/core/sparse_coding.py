"""Reading one feature's value off superposed activations h = W x, and how much interference is left.

A reading is any function of `h`. Activations hold no noise, so whatever part of a feature's variance the best affine
function of the reading leaves unexplained is due to the other features: interference.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def interference(reading: ArrayLike, value: ArrayLike) -> Array:
    """Return 1 - R^2 of the best affine fit of each column of `value` (sample, feature) to its own `reading`.

    That is one minus their squared correlation, in [0, 1]; 1 for a reading that is constant. For the best linear
    reading of independent features it is one minus the leverage, whatever the density.
    """
    r, x = np.asarray(reading, dtype=np.float64), np.asarray(value, dtype=np.float64)
    r, x = r - r.mean(axis=0), x - x.mean(axis=0)
    power = (r**2).sum(axis=0) * (x**2).sum(axis=0)
    explained = np.divide((r * x).sum(axis=0) ** 2, power, out=np.zeros_like(power), where=power > 1e-12)
    return np.asarray(1 - explained)


def sparse_code(
    dictionary: ArrayLike, h: ArrayLike, penalty: float, steps: int = 200, dtype: type[np.floating[Any]] = np.float64
) -> NDArray[Any]:
    """Return f >= 0 (sample, latent) that minimises ||h - f D||^2 / 2 + penalty * sum f, for D (latent, hidden).

    Accelerated projected gradient (FISTA, Beck and Teboulle 2009): inference by optimisation in place of an encoder.
    Single precision (`dtype`) takes half the time; it leaves about 1e-6 of the largest coefficient open.
    """
    D, h = np.asarray(dictionary, dtype=dtype), np.asarray(h, dtype=dtype)
    gram, target = D @ D.T, h @ D.T - dtype(penalty)
    rate = dtype(1 / np.linalg.eigvalsh(gram)[-1])
    f = ahead = np.zeros_like(target)
    momentum = 1.0
    for _ in range(steps):
        new = np.maximum(ahead - rate * (ahead @ gram - target), 0)
        following = (1 + float(np.sqrt(1 + 4 * momentum**2))) / 2
        ahead = new + dtype((momentum - 1) / following) * (new - f)
        f, momentum = new, following
    return np.asarray(f)
