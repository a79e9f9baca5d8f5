"""One sample through a mixture: routing, the active experts, the weighted output. For the kernel and for measures."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any, NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import ZERO, inlined
from experiments.core.training.cpu_vectors import add
from experiments.mixtures.shared.mixture_model import Mixture, padded

INPUT, BOTTLENECK, HASH, LABEL, BEST = range(5)
ROUTER_CODES = {"input": INPUT, "bottleneck": BOTTLENECK, "hash": HASH, "label": LABEL, "best": BEST}

ZERO_PLACE = uintp(0)

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


class Shape(NamedTuple):
    """Numbers that describe one model and its optimiser; see `Mixture`. `wide` is the padded number of features."""

    features: int
    wide: int
    experts: int
    hidden: int
    active: int
    router: int
    renormalised: bool
    balance: float
    units: int
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float


class Space(NamedTuple):
    """Scratch space of one thread for one model.

    `x`, `h` (all hidden units), `out` (a row per expert), `y`, `slope` (2 (y - x) / ...), `back` (q of one expert),
    `z`, `share` (softmax over all), `weight` and `dz` (one per expert); `chosen` the active experts, `kept` whether a
    hidden unit is in use, `on` a list of outputs above zero; `used` (expert,) shares of the batch for load balancing,
    `scale` (feature,) is 2 * importance / (batch * features), 0 in the padding. `own` (expert * wide) is ||W_i||^2 per
    expert, for evaluation.
    """

    x: Floats
    h: Floats
    out: Floats
    y: Floats
    slope: Floats
    back: Floats
    z: Floats
    share: Floats
    weight: Floats
    dz: Floats
    chosen: Integers
    kept: Integers
    on: NDArray[np.uint64]
    used: Floats
    scale: Floats
    own: Floats
    gradient: Floats
    previous: Floats


def shape_of(model: Mixture, features: int) -> Shape:
    """Return a model in the kernel's form; Adam with its usual constants and no weight decay."""
    return Shape(
        features,
        padded(features),
        model.experts,
        model.hidden,
        model.active,
        ROUTER_CODES[model.router],
        model.renormalised,
        float(model.balance),
        model.units,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weight_decay=0.0,
    )


def new_space(shape: Shape) -> Space:
    """Return scratch space for one model."""
    wide, experts, units = shape.wide, shape.experts, shape.experts * shape.hidden
    sizes = {"x": wide, "h": units, "out": experts * wide, "y": wide, "slope": wide, "back": wide}
    sizes |= dict.fromkeys(("z", "share", "weight", "dz", "used"), experts)
    sizes |= {"scale": wide, "own": experts * wide}
    sizes |= dict.fromkeys(("gradient", "previous"), (units + 2 * experts) * wide)
    arrays: dict[str, Any] = {name: apart(np.zeros(size, np.float32)) for name, size in sizes.items()}
    arrays |= {"chosen": apart(np.zeros(experts, np.int64)), "kept": apart(np.zeros(units, np.int64))}
    return Space(**arrays, on=apart(np.zeros(wide + 1, np.uint64)))


MARGIN = 256
"""Numbers of unused memory before and after each array of the kernel."""


def apart(values: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of a flat array that no other array's memory lies close to.

    A compiled loop over two arrays first compares their addresses, and takes another path, which may round
    differently, where they lie within some vectors of each other. Where small arrays lie is up to chance.
    """
    room = np.zeros(values.size + 2 * MARGIN, values.dtype)
    room[MARGIN : MARGIN + values.size] = values
    return room[MARGIN : MARGIN + values.size]


@inlined
def scatter(samples, at, end, x, clear):
    """Write the entries of one sample into `x`, or zeros in their place."""
    for entry in range(at, end):
        x[samples.feature[entry]] = ZERO if clear else samples.value[entry]


@inlined
def row_times_x(o, samples, at, end, parameters, row, x):
    """Return the product of a row of parameters with the sample."""
    total, begin = ZERO, uintp(row)
    if 4 * (end - at) < o.wide:
        for entry in range(uintp(at), uintp(end)):
            total += parameters[begin + uintp(samples.feature[entry])] * samples.value[entry]
        return total
    return dot(parameters, begin, x, uintp(o.wide))


@inlined
def dot(left, begin, right, count):
    """Return the product of left[begin : begin + count] and right[:count]."""
    total = ZERO
    for i in range(count):
        total += left[begin + i] * right[i]
    return total


@inlined
def add_x(o, samples, at, end, factor, target, row, x):
    """Add `factor` times the sample to a row of `target`."""
    begin = uintp(row)
    if 4 * (end - at) < o.wide:
        for entry in range(uintp(at), uintp(end)):
            target[begin + uintp(samples.feature[entry])] += factor * samples.value[entry]
    else:
        add(target, begin, factor, x, ZERO_PLACE, uintp(o.wide))


@inlined
def encode(o, samples, at, end, expert, space, parameters):
    """Set the hidden units of one expert."""
    for r in range(uintp(expert * o.hidden), uintp((expert + 1) * o.hidden)):
        space.h[r] = row_times_x(o, samples, at, end, parameters, r * uintp(o.wide), space.x)
        space.kept[r] = 1


@inlined
def decode(o, expert, space, parameters):
    """Set the expert's row of `out` to W^T h + b over the hidden units in use, before the ReLU."""
    wide = uintp(o.wide)
    row, bias = uintp(expert) * wide, uintp(o.experts * o.hidden + expert) * wide
    for i in range(wide):
        space.out[row + i] = parameters[bias + i]
    for r in range(uintp(expert * o.hidden), uintp((expert + 1) * o.hidden)):
        if space.kept[r]:
            add(space.out, row, space.h[r], parameters, r * wide, wide)


@inlined
def route(o, samples, at, end, label, home, space, parameters):
    """Choose the active experts and their weights; `x` is filled."""
    z, gate = space.z, (o.experts * o.hidden + o.experts) * o.wide
    for e in range(o.experts):
        if o.router == INPUT and o.experts > 1:
            z[e] = row_times_x(o, samples, at, end, parameters, gate + e * o.wide, space.x)
        elif o.router == BOTTLENECK:
            z[e] = dot(parameters, uintp(gate + e * o.wide), space.h, uintp(o.experts * o.hidden))
        elif o.router == BEST:
            z[e] = -squared_error(o, e, space)
        else:
            z[e] = np.float32(o.router == LABEL and e == label % o.experts)
    if o.router == HASH:
        for entry in range(at, end):
            e = home[samples.feature[entry]]
            z[e] = max(z[e], samples.value[entry])
    choose(o, space)
    weigh(o, space)


@inlined
def squared_error(o, expert, space):
    """Return the error that the expert alone would make, from its row of `out`."""
    error, row = ZERO, uintp(expert * o.wide)
    for i in range(uintp(o.wide)):
        miss = max(space.out[row + i], ZERO) - space.x[i]
        error += miss * miss
    return error


@inlined
def choose(o, space):
    """List the experts with the largest scores, the first of equal ones first."""
    for c in range(o.active):
        best = -1
        for e in range(o.experts):
            taken = False
            for earlier in range(c):
                taken |= space.chosen[earlier] == e
            if not taken and (best < 0 or space.z[e] > space.z[best]):
                best = e
        space.chosen[c] = best


@inlined
def weigh(o, space):
    """Set `weight` to the weights of the active experts, and where they or the balance need it, `share`."""
    for e in range(o.experts):
        space.weight[e] = ZERO
    certain = o.router >= HASH or (o.renormalised and o.active == 1)
    inside = ZERO
    if not certain or o.balance > 0:
        soften(o, space)
        for c in range(o.active):
            inside += space.share[space.chosen[c]]
    for c in range(o.active):
        e = space.chosen[c]
        if certain:
            # Exactly 1 for a single expert: Adam would blow up rounding errors of a gradient that is 0.
            space.weight[e] = np.float32(1.0 / o.active)
        else:
            space.weight[e] = space.share[e] / inside if o.renormalised else space.share[e]


@inlined
def soften(o, space):
    """Set `share` to the softmax of the scores over all experts."""
    total, top = ZERO, space.z[space.chosen[0]]
    for e in range(o.experts):
        space.share[e] = np.exp(space.z[e] - top)
        total += space.share[e]
    for e in range(o.experts):
        space.share[e] /= total


@inlined
def keep_largest(o, space):
    """Keep the `units` hidden units of largest size in use, for a top-k bottleneck."""
    for r in range(o.hidden):
        space.kept[r] = 0
    for _ in range(o.units):
        best = -1
        for r in range(o.hidden):
            if space.kept[r] == 0 and (best < 0 or abs(space.h[r]) > abs(space.h[best])):
                best = r
        space.kept[best] = 1


@inlined
def forward(o, samples, at, end, label, home, space, parameters):
    """Route one sample and compute `y`; rows of `out` of active experts are before their ReLU.

    Routers that need what all experts make of the sample are asked after a first round of all experts, the others
    before the only round, of the active ones.
    """
    scatter(samples, at, end, space.x, False)
    all_first = o.router == BOTTLENECK or o.router == BEST
    for turn in range(2):
        if (turn == 0) == all_first:
            for c in range(o.experts if all_first else o.active):
                e = c if all_first else space.chosen[c]
                encode(o, samples, at, end, e, space, parameters)
                if o.units > 0:
                    keep_largest(o, space)
                decode(o, e, space, parameters)
        else:
            route(o, samples, at, end, label, home, space, parameters)
    for i in range(uintp(o.wide)):
        space.y[i] = ZERO
    for c in range(o.active):
        row, weight = uintp(space.chosen[c] * o.wide), space.weight[space.chosen[c]]
        for i in range(uintp(o.wide)):
            space.y[i] += weight * max(space.out[row + i], ZERO)
