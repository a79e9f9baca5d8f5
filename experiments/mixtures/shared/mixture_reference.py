"""The mixture in plain torch, for any device: the definition that the kernel is tested against."""

from typing import NamedTuple

import torch
from torch import Tensor

from experiments.mixtures.shared.mixture_model import Mixture


class Output(NamedTuple):
    """`y` (sample, feature), `weight` (sample, expert), `share` (sample, expert) the softmax over all experts.

    `before` (sample, expert, feature) are all experts' outputs before their ReLU.
    """

    y: Tensor
    weight: Tensor
    share: Tensor
    before: Tensor


def mixture_output(
    model: Mixture, W: Tensor, b: Tensor, gate: Tensor, x: Tensor, label: Tensor, home: Tensor
) -> Output:
    """Return the outputs for samples x (sample, feature).

    `W` (expert, hidden, feature), `b` (expert, feature), `gate` as in `Parameters`; `label` (sample,) and `home`
    (feature,) are used by the routers that need them. Differentiable in W, b and gate.
    """
    h = torch.einsum("ehi,si->seh", W, x)
    if model.units:
        kept = h.abs().topk(model.units, dim=-1).indices
        h = h * torch.zeros_like(h).scatter(-1, kept, 1.0)
    before = torch.einsum("ehi,seh->sei", W, h) + b
    outputs = torch.relu(before)
    z = _scores(model, gate, x, h, outputs, label, home)
    share = z.softmax(-1)
    # Of equal scores, which empty samples have, the first expert's comes first; torch's own topk does not promise that.
    best = z.argsort(dim=-1, descending=True, stable=True)[:, : model.active]
    chosen = torch.zeros_like(z).scatter(-1, best, 1.0)
    if model.router in ("hash", "label", "best"):
        weight = chosen / model.active
    else:
        weight = share * chosen
        if model.renormalised:
            weight = weight / weight.sum(-1, keepdim=True)
    return Output(torch.einsum("se,sei->si", weight, outputs), weight, share, before)


def _scores(model: Mixture, gate: Tensor, x: Tensor, h: Tensor, outputs: Tensor, label: Tensor, home: Tensor) -> Tensor:
    """Return the scores z (sample, expert) by which experts are chosen."""
    if model.router == "input":
        return x @ gate.T if model.experts > 1 else torch.zeros_like(x[:, :1])
    if model.router == "bottleneck":
        return h.flatten(1) @ gate.T
    experts = torch.arange(model.experts)
    if model.router == "hash":
        return torch.where(home == experts[:, None], x[:, None, :], 0.0).amax(-1)
    if model.router == "label":
        return (label[:, None] % model.experts == experts).to(x.dtype)
    return -((outputs - x[:, None, :]) ** 2).sum(-1).detach()


def mixture_loss(model: Mixture, found: Output, x: Tensor, importance: Tensor) -> Tensor:
    """Return what training minimises: the weighted mean squared error plus the load-balancing loss."""
    error = (importance * (found.y - x) ** 2).mean()
    used = (found.weight > 0).to(x.dtype).mean(0)
    return error + model.balance * model.experts * (used * found.share.mean(0)).sum()
