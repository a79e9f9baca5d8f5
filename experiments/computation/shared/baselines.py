"""What the absolute value of sparse features costs without superposition, exactly.

A feature is 0 with probability 1 - p, else U[-1, 1]; the output y approximates |x|. All errors are divided by
E x^2 = p/3, the error of an output that is always 0.

**A bias alone.** y = b is best at the mean E|x| = p/2 and leaves the variance p/3 - p^2/4: r0 = 1 - 3p/4.

**One neuron and a bias.** y = ReLU(a ReLU(x) + b) with b >= 0. With c = 1 - a the error is

    p/2 E(c u - b)^2 + p/2 E(u - b)^2 + (1 - p) b^2,    u uniform on [0, 1],

for x > 0, x < 0 and x = 0. The first term is least at c = 3b/2, where it is p b^2/8. The rest sums to
(1 - 3p/8) b^2 - (p/2) b + p/6, least at b = (p/4)/(1 - 3p/8); divided by p/3 this is

    r1 = 1/2 - (3p/16)/(1 - 3p/8) = 1/2 - 0.75 p/(4 - 1.5 p).

A negative b clips small values and is worse, and so is a read-out that falls with x.

**Two neurons.** ReLU(x) + ReLU(-x) = |x|: nothing is lost.

**The best allocation.** The first neuron saves r0 - r1 = 1/2 - 0.5625 p + O(p^2), less than the second, which saves r1,
at every p > 0. So whichever two features hold a single neuron each, moving both neurons to the more important one
is better, and the least total gives two neurons to each of the m/2 most important features and none to the rest:

    B = r0 * (importance beyond the m/2 most important) / (all importance).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def bias_alone(p: ArrayLike) -> Array:
    """Return r0 = 1 - 3p/4, the least error of |x| by a constant, over that of 0."""
    return np.asarray(1 - 0.75 * np.asarray(p, dtype=np.float64))


def one_neuron(p: ArrayLike) -> Array:
    """Return r1 = 1/2 - 0.75p/(4 - 1.5p), the least error of |x| by one ReLU and a bias, over that of 0."""
    density = np.asarray(p, dtype=np.float64)
    return np.asarray(0.5 - 0.75 * density / (4 - 1.5 * density))


def best_allocation(p: float, importance: ArrayLike, neurons: int) -> float:
    """Return B: the least importance-weighted error of any allocation of 0, 1 or 2 neurons to each feature.

    It is a share of the error of the constant 0, in [0, 1]. `importance` is (feature,), in any order. An odd neuron
    goes to the most important feature without any. Raises `ValueError` for a negative number of neurons.
    """
    if neurons < 0:
        raise ValueError(f"neurons is {neurons}; it must be at least 0")
    weight = np.sort(np.asarray(importance, dtype=np.float64))[::-1]
    error = np.full(weight.size, float(bias_alone(p)))
    error[: neurons // 2] = 0.0
    if neurons % 2 and neurons // 2 < weight.size:
        error[neurons // 2] = float(one_neuron(p))
    return float(weight @ error / weight.sum())
