"""The fused CPU kernel for mixtures: one model trains on listed samples inside one thread's cache.

A sample is routed, sent through its active experts only (`mixture_forward`), and its gradient goes back through them,
with no array of a batch in memory. With e over the active experts, h_e = W_e x, f_e = ReLU(W_e^T h_e + b_e),
y = sum of g_e f_e:

    v = 2 (y - x) / (batch * features)     q_e = g_e v where f_e > 0     t_e = v . f_e
    dL/db_e = q_e     s_e = W_e q_e        dL/dW_e = h_e q_e^T + s_e x^T

The weights g are a softmax p of the scores z over a set S of experts (the active ones if renormalised, else all), so
dL/dz_e = p_e (t_e - sum over active e' of p_e' t_e'), with t_e = 0 where e is not active. An input gate gets
dL/dG = dL/dz x^T, a bottleneck gate dL/dU = dL/dz h^T and passes U^T dL/dz on to *all* hidden units.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numba import uintp

from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.core.training.cpu_kernel import adam
from experiments.core.training.cpu_sparse_gradient import list_on
from experiments.core.training.cpu_vectors import add
from experiments.mixtures.shared.mixture_forward import (
    BOTTLENECK,
    INPUT,
    LABEL,
    ZERO_PLACE,
    add_x,
    dot,
    forward,
    scatter,
)

LISTED_HIDDEN = 2
LISTED_SHARE = 3
"""Outputs that are on are listed for experts of more hidden units, if no more than one in so many is on. Only time
depends on the two; other values were not tried systematically."""


@jit
def train_steps(o, samples, home, importance, rates, taken, space, parameters, first, second):
    """Take one step per batch of `samples`; `rates` (step,) are learning rates.

    `taken` steps went before. The number of samples is a multiple of the number of steps. Returns whether all stayed
    finite.
    """
    batch = samples.label.size // rates.size
    for step in range(rates.size):
        batch_gradient(o, samples, home, importance, step * batch, batch, space, parameters)
        done = taken + step + 1
        first_scale = 1.0 / (1.0 - o.beta1**done)
        second_scale = 1.0 / np.sqrt(1.0 - o.beta2**done)
        rate = np.float32(rates[step])
        if not adam(o, rate, 1.0, first_scale, second_scale, parameters, space.gradient, first, second, space.previous):
            return False
    return True


@jit
def batch_gradient(o, samples, home, importance, begin, batch, space, parameters):
    """Set `space.gradient` to that of the mean loss on the batch that begins at sample `begin`."""
    for j in range(uintp(space.gradient.size)):
        space.gradient[j] = ZERO
    for i in range(o.features):
        space.scale[i] = importance[i] * np.float32(2.0 / (batch * o.features))
    for e in range(o.experts):
        space.used[e] = ZERO
    # Load balancing needs the use of each expert in the batch before any gradient: a first round counts.
    for counting in range(o.balance > 0, -1, -1):
        empty = 0
        # Empty samples are all alike, unless their label sends them to different experts: they are counted, and one
        # more pass at the end stands for all of them.
        for place in range(batch + 1):
            at, end, times = samples.starts[begin + place], samples.starts[begin + place], 1
            if place == batch:
                times = empty
            else:
                end = samples.starts[begin + place + 1]
                if at == end and o.router != LABEL:
                    empty, times = empty + 1, 0
            if times > 0:
                forward(o, samples, at, end, samples.label[begin + min(place, batch - 1)], home, space, parameters)
                if counting:
                    for c in range(o.active):
                        space.used[space.chosen[c]] += np.float32(times / batch)
                else:
                    backward(o, samples, at, end, np.float32(times), batch, space, parameters)
                scatter(samples, at, end, space.x, True)


@inlined
def backward(o, samples, at, end, times, batch, space, parameters):
    """Add `times` the gradient of the sample that went forward."""
    for i in range(uintp(o.wide)):
        space.slope[i] = times * space.scale[i] * (space.y[i] - space.x[i])
    for e in range(o.experts):
        space.dz[e] = ZERO
    for c in range(o.active):
        expert_backward(o, samples, at, end, space.chosen[c], space, parameters)
    if o.experts > 1 and o.router <= BOTTLENECK:
        gate_backward(o, samples, at, end, times, batch, space, parameters)


@inlined
def expert_backward(o, samples, at, end, expert, space, parameters):
    """Add the gradient of one active expert's parameters, and set its `dz` to t = slope . f."""
    wide = uintp(o.wide)
    row, bias = uintp(expert) * wide, uintp(o.experts * o.hidden + expert) * wide
    back, on, gradient, weight = space.back, space.on, space.gradient, space.weight[expert]
    # Listing the outputs that are on pays where several hidden units share the list and few are on.
    listed = o.hidden > LISTED_HIDDEN
    count, gain = list_on(space.out, row, wide, on) if listed else uintp(0), ZERO
    many = not listed or LISTED_SHARE * np.int64(count) > o.wide
    if many:
        # Outputs in their places, the others 0, so that whole rows are added at once.
        for i in range(wide):
            out = space.out[row + i]
            back[i] = ZERO if out <= ZERO else weight * space.slope[i]
            gain += ZERO if out <= ZERO else space.slope[i] * out
            gradient[bias + i] += back[i]
    else:
        for k in range(count):
            i = on[k]
            gain += space.slope[i] * space.out[row + i]
            back[k] = weight * space.slope[i]
            gradient[bias + i] += back[k]
    space.dz[expert] = gain
    for r in range(uintp(expert * o.hidden), uintp((expert + 1) * o.hidden)):
        if space.kept[r]:
            line, h, total = r * wide, space.h[r], ZERO
            if many:
                total = dot(parameters, line, back, wide)
                add(gradient, line, h, back, ZERO_PLACE, wide)
            else:
                for k in range(count):
                    total += parameters[line + on[k]] * back[k]
                    gradient[line + on[k]] += h * back[k]
            add_x(o, samples, at, end, total, gradient, line, space.x)


@inlined
def gate_backward(o, samples, at, end, times, batch, space, parameters):
    """Add the gradient of the gate; `dz` holds t on entry."""
    gate, share, mean = (o.experts * o.hidden + o.experts) * o.wide, space.share, ZERO
    uneven = ZERO
    for c in range(o.active):
        mean += space.weight[space.chosen[c]] * space.dz[space.chosen[c]]
    for e in range(o.experts):
        uneven += share[e] * space.used[e]
    for e in range(o.experts):
        # Of a renormalised softmax, experts that are not active have weight 0.
        p = space.weight[e] if o.renormalised else share[e]
        space.dz[e] = p * (space.dz[e] - mean)
        if o.balance > 0:
            space.dz[e] += times * np.float32(o.balance * o.experts / batch) * share[e] * (space.used[e] - uneven)
    for e in range(o.experts):
        if space.dz[e] != ZERO:
            line = gate + e * o.wide
            if o.router == INPUT:
                add_x(o, samples, at, end, space.dz[e], space.gradient, line, space.x)
            else:
                for r in range(o.experts * o.hidden):
                    space.gradient[line + r] += space.dz[e] * space.h[r]
    if o.router == BOTTLENECK:
        for r in range(o.experts * o.hidden):
            total = ZERO
            for e in range(o.experts):
                total += space.dz[e] * parameters[gate + e * o.wide + r]
            add_x(o, samples, at, end, total, space.gradient, r * o.wide, space.x)
