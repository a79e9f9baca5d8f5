"""What to train: the data, the model and the recipe, checked before any work starts.

Axis names are fixed throughout: `instance` (seeds and sweeps, the outermost axis of everything),
`batch`, `feature`, `hidden`. Source of the set-up: Elhage et al. 2022, "Demonstrating superposition".
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Coupling = Literal["independent", "correlated", "anticorrelated"]
Schedule = Literal["constant", "cosine", "step"]
Start = Literal["xavier", "normal"]
Parameter = Literal["W", "b_hidden", "W_out", "b"]


@dataclass(frozen=True)
class Weights:
    """Parameters of a batch of models.

    `W` (instance, hidden, feature) writes, `b` (instance, feature) is the output bias, and `W_out`
    (instance, feature, hidden) reads in an untied model; `None` means that `W` transposed reads. `b_hidden`
    (instance, hidden) is the bias of the hidden layer in a model that has one.
    """

    W: NDArray[np.float32]
    b: NDArray[np.float32]
    W_out: NDArray[np.float32] | None = None
    b_hidden: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Data:
    """Sparse features: each is 0 or a uniform value.

    `density` (instance, feature) is the probability that a feature is not 0, in [0, 1]; a scalar or
    anything that broadcasts is accepted, as it is for `importance`, the weight of each feature's
    squared error. Values are U[0, 1], or U[-1, 1] when `signed`.

    `groups` are disjoint sets of feature numbers whose members must share one density; features in
    no group are independent. A *correlated* group is present or absent as one, values staying
    independent. In an *anticorrelated* group at most one member, drawn uniformly, is present, and
    each keeps its stated density (so the group as a whole is present with the sum of them, which
    must not exceed 1). `strength` (instance,) in [0, 1] is the probability, per sample and group,
    that the group is coupled at all; otherwise its members are drawn independently, so every
    feature keeps its density at any strength.

    `fixed_samples` draws, once per instance, a data set of that many samples and visits it in
    shuffled epochs (the last batch of an epoch may be smaller); `samples` (sample, feature) gives
    one explicit data set, shared by all instances. With neither, every batch is fresh. Without
    `shuffle` an epoch visits the data set in its stored order.
    """

    density: ArrayLike
    importance: ArrayLike = 1.0
    signed: bool = False
    coupling: Coupling = "independent"
    groups: tuple[tuple[int, ...], ...] = ()
    strength: ArrayLike = 1.0
    fixed_samples: int | None = None
    samples: NDArray[np.float32] | None = None
    shuffle: bool = True


@dataclass(frozen=True)
class Model:
    """`y = output(W_out hidden_activation(W x + b_hidden) + b)`, and what `y` should equal.

    `W_out = W^T` when `tied`; there is a `b_hidden` only with `hidden_bias`. The target is
    `y* = target(x) + target_mixing x`: the input, its absolute value or its positive part, plus a fixed linear mixture
    of all features. `target_mixing` is (feature, feature) or (instance, feature, feature); row i mixes into output i.

    `loss` is the power of the error that training minimises the weighted mean of: "l2" (target - y)^2 or "l4"
    (target - y)^4. "l4" needs a ReLU output.
    """

    features: int
    hidden: int
    output: Literal["relu", "linear"] = "relu"
    hidden_activation: Literal["linear", "relu"] = "linear"
    tied: bool = True
    target: Literal["identity", "absolute", "relu"] = "identity"
    hidden_bias: bool = False
    loss: Literal["l2", "l4"] = "l2"
    target_mixing: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Recipe:
    """How to train: minimise the mean over batch and features of importance * (target - y)^2, or ^4 (`Model.loss`).

    Adam with decoupled weight decay (AdamW) on all parameters. `learning_rate` and `start_scale`
    may differ per instance (instance,). The rate rises linearly over the first `warmup` steps, then
    follows `schedule`: constant; cosine to 0; or step, multiplied by `step_factor` from the step
    `step_at * steps` on. `start` draws W ~ N(0, 2 / (hidden + feature)) per model ("xavier") or
    N(0, 1) ("normal"), times `start_scale`, with b at `start_bias` and b_hidden = 0; or takes
    given weights as they are. `frozen` parameters keep their start.

    `start_bias` is a scalar, (feature,) or (instance, feature). From b = 0, an output whose column of `W` faces away
    from the mean input is negative on all dense samples, gets no gradient and stays dead; b = E[x], for instance
    `density / 2`, avoids that.

    `snapshots` are step counts, 0 (the start) to `steps`, at which the weights are kept.
    `instance_seeds` (instance,) selects the random streams: an instance's result depends on its own
    seed and settings alone, never on which others train beside it. Default: `seed` mixed with 0, 1, 2, ...
    """

    steps: int = 10_000
    batch: int = 1024
    learning_rate: ArrayLike = 1e-3
    schedule: Schedule = "constant"
    warmup: int = 0
    step_at: float = 0.8
    step_factor: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    start: Start | Weights = "xavier"
    start_scale: ArrayLike = 1.0
    start_bias: ArrayLike = 0.0
    frozen: tuple[Parameter, ...] = ()
    snapshots: tuple[int, ...] = ()
    seed: int = 0
    instance_seeds: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Trained:
    """Trained models and how they were made.

    `weights` are the final ones; `snapshots` (one entry per asked step, in order of `steps`) the kept
    ones. `diverged` (instance,) marks instances that met a non-finite number: they stopped at
    `stopped_at` (instance,) steps with the last finite weights and must be left out, not averaged. Only
    `train(..., diverged="keep")` returns any.
    """

    weights: Weights
    steps: tuple[int, ...]
    snapshots: tuple[Weights, ...]
    diverged: NDArray[np.bool_]
    stopped_at: NDArray[np.int64]
    backend: str
    device: str
    threads: int
    seconds: float = field(compare=False, default=0.0)


def log_spaced_steps(steps: int, count: int) -> tuple[int, ...]:
    """Return 0 and up to `count` distinct step counts spaced evenly in the logarithm, ending at `steps`."""
    grid = np.unique(np.round(np.geomspace(1, steps, count)).astype(int))
    return (0, *(int(step) for step in grid))
