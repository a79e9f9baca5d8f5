"""Mixtures of autoencoders and their dense relatives: what they are, where they start, what they cost.

An expert e is a tied autoencoder with ReLU output, f_e(x) = ReLU(W_e^T W_e x + b_e). A router chooses `active` of the
experts for a sample and weighs them: y = sum of g_e f_e(x) over the chosen ones. One expert is the dense model of
Elhage et al. 2022. Source of the mixture: Chaudhari et al. 2025, "Sparsity and Superposition in Mixture of Experts".
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.seeds import START, stream

Floats = NDArray[np.float32]
Router = Literal["input", "bottleneck", "hash", "label", "best"]
GateStart = Literal["xavier", "k-hot"]

LANES = 8
"""Rows of features are padded with zeros to a multiple of this, for the kernel's vectors."""


@dataclass(frozen=True)
class Mixture:
    """`experts` autoencoders of `hidden` units each, of which `active` work on a sample.

    `router` gives the scores z (expert,) that choose them:

    - "input": z = G x, the published gate.
    - "bottleneck": z = U h, with h the hidden units of all experts, so that it knows no more than they do.
    - "hash": each feature belongs to a fixed random expert, and z_e is the largest value among its features.
    - "label": the expert of the sample's cluster, known from outside. Needs `active=1`.
    - "best": the expert with the least error on the sample, known from outside. Needs `active=1`.

    Weights g are the softmax of z over the chosen experts; over all experts when not `renormalised`; equal for a hash.
    `balance` is the weight of the load-balancing loss (Fedus et al. 2022): balance * E * sum of f_e P_e, with f_e the
    share of the batch that is routed to e and P_e the mean softmax. `units` keeps that many hidden units of largest
    size per sample (0: all), which with one expert is a top-k bottleneck.
    """

    experts: int
    hidden: int
    active: int = 1
    router: Router = "input"
    gate_start: GateStart = "xavier"
    renormalised: bool = True
    balance: float = 0.0
    units: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.active <= self.experts:
            raise ValueError(f"active is {self.active}; of {self.experts} experts 1 to {self.experts} can be active")
        if self.router in ("label", "best") and self.active != 1:
            raise ValueError(f"router {self.router!r} names one expert, and active is {self.active}; use active=1")
        if self.units and (self.experts > 1 or self.units > self.hidden):
            raise ValueError(f"units is {self.units}; it needs a single expert with at least as many hidden units")

    @property
    def width(self) -> int:
        """Hidden units of all experts together."""
        return self.experts * self.hidden

    @property
    def learns_routing(self) -> bool:
        """Whether a gate with parameters chooses."""
        return self.experts > 1 and self.router in ("input", "bottleneck")


def dense(hidden: int) -> Mixture:
    """Return the dense model: a single expert."""
    return Mixture(1, hidden)


def parameters(model: Mixture, features: int) -> int:
    """Return how many numbers the model learns, the gate included."""
    inputs = features if model.router == "input" else model.width
    return features * (model.width + model.experts) + (model.experts * inputs if model.learns_routing else 0)


def active_parameters(model: Mixture, features: int) -> int:
    """Return the parameters of the experts that work on a sample, without the gate."""
    return features * model.active * (model.hidden + 1)


def multiply_adds(model: Mixture, features: int) -> int:
    """Return the multiply-adds of one forward pass on a dense input, the gate included.

    Active experts encode and decode; the input gate reads every feature once per expert; a bottleneck gate needs the
    hidden units of all experts; weights are multiplied in when there are several experts. An oracle's knowledge is
    free, and so is a hash, which only compares.
    """
    encoded = model.width if model.router == "bottleneck" else model.active * model.hidden
    decoded = model.units or model.active * model.hidden
    combined = model.active if model.active > 1 or not model.renormalised else 0
    gate = 0
    if model.learns_routing:
        gate = model.experts * (features if model.router == "input" else model.width)
    return features * (encoded + decoded + combined) + gate


@dataclass(frozen=True)
class Matched:
    """Hidden units of the dense models that a mixture is compared with.

    `hidden`: as many hidden units in all, the published comparison. `total`: as many parameters, the gate included.
    `active`: as many as work on a sample. `cost`: as many multiply-adds, the gate included. Halves are rounded down, in
    favour of the mixture.
    """

    hidden: int
    total: int
    active: int
    cost: int


def matched(model: Mixture, features: int) -> Matched:
    """Return the dense models that match `model` in one respect each."""
    return Matched(
        hidden=model.width,
        total=parameters(model, features) // features - 1,
        active=max(1, active_parameters(model, features) // features - 1),
        cost=max(1, multiply_adds(model, features) // (2 * features)),
    )


def padded(features: int) -> int:
    """Return the length of a row in the kernel."""
    return features + -features % LANES


@dataclass(frozen=True)
class Parameters:
    """Parameters of one model: `W` (expert, hidden, feature), `b` (expert, feature) and the gate.

    `gate` is (expert, feature), or for a router that reads the bottleneck (expert, experts * hidden). `home` (feature,)
    is the expert of each feature for a hash.
    """

    W: Floats
    b: Floats
    gate: Floats
    home: NDArray[np.int64]


def start(model: Mixture, features: int, bias: float, seed: int) -> Parameters:
    """Return first parameters: W and gate Xavier-normal per expert, every output bias at `bias`.

    A K-hot gate has a 1 where the feature belongs to the expert, else 0; features are dealt to the experts evenly and
    at random. All draws come from `seed`.
    """
    random = stream(seed, START)
    shape = (model.experts, model.hidden, features)
    W = np.sqrt(2.0 / (model.hidden + features)) * random.standard_normal(shape)
    b = np.full((model.experts, features), bias, np.float32)
    inputs = model.width if model.router == "bottleneck" else features
    gate = np.sqrt(2.0 / (model.experts + inputs)) * random.standard_normal((model.experts, inputs))
    home = random.permutation(features) % model.experts
    if model.gate_start == "k-hot":
        gate = (home == np.arange(model.experts)[:, None]).astype(np.float64)
    return Parameters(W.astype(np.float32), b, gate.astype(np.float32), home.astype(np.int64))


def flat(model: Mixture, parameters: Parameters) -> Floats:
    """Return the kernel's row: W, b and gate one after the other, each row of it padded with zeros."""
    features = parameters.W.shape[2]
    wide = padded(features)
    rows = np.zeros((model.width + 2 * model.experts, wide), np.float32)
    rows[: model.width, :features] = parameters.W.reshape(model.width, features)
    rows[model.width : model.width + model.experts, :features] = parameters.b
    rows[model.width + model.experts :, : parameters.gate.shape[1]] = parameters.gate
    return rows.ravel()


def unflat(model: Mixture, row: Floats, features: int, home: NDArray[np.int64]) -> Parameters:
    """Return the parameters in a kernel's row; the inverse of `flat`."""
    rows = row.reshape(model.width + 2 * model.experts, padded(features))
    inputs = model.width if model.router == "bottleneck" else features
    W = rows[: model.width, :features].reshape(model.experts, model.hidden, features)
    b = rows[model.width : model.width + model.experts, :features]
    return Parameters(W.copy(), b.copy(), rows[model.width + model.experts :, :inputs].copy(), home)
