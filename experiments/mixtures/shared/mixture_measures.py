"""What a trained mixture does on a common set of samples: its loss, its interference, and which experts work.

The interference of expert e on a sample is what reaches its outputs from other features than their own, before bias and
ReLU: c_i = (W_e^T W_e x)_i - ||W_ei||^2 x_i. Sums of c_i^2 over samples and outputs are divided by the sum of x_i^2.
*Routed* interference counts an expert on the samples it works on, with its weight; *general* interference counts every
expert on every sample. For one expert they are the same. The first is what a mixture really suffers; the second is
what its weights alone would tell.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from dataclasses import dataclass

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.metrics import dimensionality, represented_mass
from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.mixtures.shared.mixture_forward import Floats, Shape, Space, apart, decode, encode, forward, scatter
from experiments.mixtures.shared.mixture_model import Mixture, Parameters
from experiments.mixtures.shared.mixture_samples import Samples

Array = NDArray[np.float64]

DEAD_SHARE = 0.01
"""An expert is dead when it works on less than this part of its fair share of the samples that are not empty."""


@dataclass(frozen=True)
class Measures:
    """One trained model on one common set of samples.

    `loss` is the mean over samples and features of importance * (x - y)^2. `routed` and `general` are interference as a
    share of the input's energy. `use` (expert,) is each expert's share of the work on samples that are not empty,
    `entropy` its entropy over that of equal use, `dead` the experts below `DEAD_SHARE` of a fair share.
    `mass_per_unit` is the mean over living experts of ||W_e||_F^2 / hidden, their features per dimension.
    `dimensionality` is the mean over features of D_i summed over experts.
    """

    loss: float
    routed: float
    general: float
    use: Array
    entropy: float
    dead: int
    mass_per_unit: float
    dimensionality: float


def measure(
    model: Mixture, shape: Shape, samples: Samples, importance: Floats, space: Space, row: Floats, parts: Parameters
) -> Measures:
    """Return the measures of the model whose parameters are `row` in the kernel's form and `parts` in plain form."""
    sums = apart(np.zeros(5 + model.experts))
    measure_samples(shape, samples, parts.home, importance, space, row, sums)
    energy, active = max(sums[1], 1e-30), max(sums[4], 1.0)
    use = sums[5:] / (active * model.active)
    living = use >= DEAD_SHARE / model.experts
    mass = represented_mass(parts.W) / model.hidden
    return Measures(
        loss=sums[0] / len(samples.label) / shape.features,
        routed=sums[2] / energy,
        general=sums[3] / energy,
        use=use,
        entropy=evenness(use),
        dead=int((~living).sum()),
        mass_per_unit=float(mass[living].mean()),
        dimensionality=float(dimensionality(parts.W).sum(0).mean()),
    )


def evenness(use: Array) -> float:
    """Return the entropy of shares over its greatest value: 1 when all are equal, 0 when a single one is not 0."""
    if len(use) == 1:
        return 1.0
    shares = use[use > 0]
    return float(-(shares * np.log(shares)).sum() / np.log(len(use)))


@jit
def measure_samples(o, samples, home, importance, space, parameters, sums):
    """Add to `sums`: loss, energy, routed and general interference, samples not empty, and the use of each expert."""
    for e in range(o.experts):
        own_parts(o, e, space, parameters)
    for sample in range(samples.label.size):
        at, end = samples.starts[sample], samples.starts[sample + 1]
        forward(o, samples, at, end, samples.label[sample], home, space, parameters)
        # Sums of one sample stay in registers, so that the loop runs over vectors.
        loss = energy = ZERO
        for i in range(uintp(o.features)):
            miss = space.x[i] - space.y[i]
            loss += importance[i] * miss * miss
            energy += space.x[i] * space.x[i]
        sums[0] += loss
        sums[1] += energy
        if end > at:
            sums[4] += 1
            interfere(o, samples, at, end, space, parameters, sums)
        scatter(samples, at, end, space.x, True)


@inlined
def own_parts(o, expert, space, parameters):
    """Set `own` of one expert: the squared length of each feature's column, over the hidden units in use."""
    wide = uintp(o.wide)
    row = uintp(expert) * wide
    for i in range(wide):
        space.own[row + i] = ZERO
    for r in range(uintp(expert * o.hidden), uintp((expert + 1) * o.hidden)):
        if space.kept[r] or o.units == 0:
            for i in range(wide):
                space.own[row + i] += parameters[r * wide + i] * parameters[r * wide + i]


@inlined
def interfere(o, samples, at, end, space, parameters, sums):
    """Add the interference of one sample, which went forward, to `sums`."""
    total = ZERO
    for c in range(o.active):
        total += space.weight[space.chosen[c]]
    for c in range(o.active):
        e = space.chosen[c]
        if o.units > 0:
            own_parts(o, e, space, parameters)
        sums[2] += space.weight[e] / total * interference(o, e, space, parameters)
        sums[5 + e] += 1
    for e in range(o.experts):
        encode(o, samples, at, end, e, space, parameters)
        decode(o, e, space, parameters)
        if o.units > 0:
            own_parts(o, e, space, parameters)
        sums[3] += interference(o, e, space, parameters) / np.float32(o.experts)


@inlined
def interference(o, expert, space, parameters):
    """Return the sum over outputs of c_i^2 for one expert, whose row of `out` is before its ReLU."""
    wide, total = uintp(o.wide), ZERO
    row, bias = uintp(expert) * wide, uintp(o.experts * o.hidden + expert) * wide
    for i in range(wide):
        c = space.out[row + i] - parameters[bias + i] - space.own[row + i] * space.x[i]
        total += c * c
    return total
