"""The reference backend: the variants' losses in plain torch, differentiated automatically, on any device.

It defines what training means; the CPU kernel is tested against it. Dense throughout, one batched product over the
instances of a variant.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.core.autoencoders.specification import PENALISED, Specification, Variant, prefix_ends
from experiments.core.autoencoders.state import State

Named = dict[str, Tensor]


class _Jump(torch.autograd.Function):
    """v 1[v > θ] and 1[v > θ], with the slopes in θ taken over a rectangle of width `bandwidth` around it."""

    @staticmethod
    def forward(ctx, v, theta, bandwidth):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(v, theta)
        ctx.bandwidth = bandwidth
        is_open = (v > theta).to(v.dtype)
        return v * is_open, is_open

    @staticmethod
    def backward(ctx, to_f, to_open):  # type: ignore[no-untyped-def]
        v, theta = ctx.saved_tensors
        near = ((v - theta).abs() < ctx.bandwidth / 2).to(v.dtype) / ctx.bandwidth
        to_theta = -(near * (theta * to_f + to_open)).sum(dim=1, keepdim=True)
        return to_f * (v > theta), to_theta, None


@dataclass
class Tensors:
    """The arrays of a `State`, on a device; a step replaces them."""

    flat: Tensor
    first: Tensor
    second: Tensor
    penalty: Tensor
    threshold: Tensor
    silent: Tensor


@dataclass(frozen=True)
class Group:
    """The instances of one variant and their settings: `chosen` numbers, `valid` (instance, 1, latent) real latents."""

    variant: Variant
    chosen: list[int]
    active: list[float]
    ends: list[tuple[int, ...]]
    valid: Tensor


@dataclass(frozen=True)
class Losses:
    """`loss` (instance,), `fired` (instance, batch, latent) and, for a batch top-k, the smallest value kept."""

    loss: Tensor
    fired: Tensor
    cut: Tensor


def groups(specification: Specification, device: str) -> list[Group]:
    """Return the instances by variant."""
    models, number = specification.models, torch.arange(specification.latents, device=device)
    found = []
    for variant in dict.fromkeys(model.variant for model in models):
        chosen = [i for i, model in enumerate(models) if model.variant == variant]
        width = torch.tensor([models[i].width for i in chosen], device=device)
        ends = [prefix_ends(specification.prefixes, models[i].width) for i in chosen]
        valid = (number < width[:, None])[:, None]
        found.append(Group(variant, chosen, [models[i].active for i in chosen], ends, valid))
    return found


def named(flat: Tensor, latents: int, hidden: int) -> Named:
    """Return the parameters of `state.Parameters` as tensors with a leading instance axis."""
    sizes = [latents * hidden, latents * hidden, latents, latents, latents, hidden]
    W_dec, W_enc, b_enc, r_mag, extra, b_dec = torch.split(flat, sizes, dim=1)
    matrix = (len(flat), latents, hidden)
    return {
        "W_dec": W_dec.reshape(matrix),
        "W_enc": W_enc.reshape(matrix),
        "b_enc": b_enc[:, None],
        "r_mag": r_mag[:, None],
        "extra": extra[:, None],
        "b_dec": b_dec[:, None],
    }


def losses(group: Group, w: Named, x: Tensor, penalty: Tensor, dead: Tensor, specification: Specification) -> Losses:
    """Return the losses of one group on x (instance, batch, hidden); `dead` (instance, latent)."""
    v = torch.baddbmm(w["b_enc"], x - w["b_dec"], w["W_enc"].transpose(1, 2))
    v = v.masked_fill(~group.valid, -1.0)
    f, extra_loss, cut = _activations(group, w, v, x, penalty, specification.bandwidth)
    output = torch.baddbmm(w["b_dec"], f, w["W_dec"])
    loss = _squared(output - x) + extra_loss
    if group.variant == "matryoshka":
        loss = torch.stack([_nested(f[i], w["W_dec"][i], w["b_dec"][i], x[i], e) for i, e in enumerate(group.ends)])
    count = aux_latents(specification, x.shape[2])
    if count:
        loss = loss + specification.aux_weight * _aux(v, w["W_dec"], (output - x).detach(), dead, count)
    return Losses(loss, f.detach() > 0, cut)


def _activations(
    group: Group, w: Named, v: Tensor, x: Tensor, penalty: Tensor, bandwidth: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return latents f (instance, batch, latent), what the loss has beside the squared error, and the batch's cut."""
    none = torch.zeros(len(v), device=v.device)
    if group.variant == "relu":
        return v.relu(), penalty * v.relu().sum(dim=2).mean(dim=1), none
    if group.variant == "gated":
        f = ((v - w["b_enc"]) * w["r_mag"].exp() + w["extra"]).relu() * (v > 0)
        frozen = torch.baddbmm(w["b_dec"].detach(), v.relu(), w["W_dec"].detach())
        return f, penalty * v.relu().sum(dim=2).mean(dim=1) + _squared(frozen - x), none
    if group.variant == "jumprelu":
        f, is_open = _Jump.apply(v, w["extra"].exp(), bandwidth)  # type: ignore[no-untyped-call]
        return f, penalty * is_open.sum(dim=2).mean(dim=1), none
    if group.variant == "topk":
        kept = [each.relu().topk(int(k), dim=1) for each, k in zip(v, group.active, strict=True)]
        f = torch.stack([torch.zeros_like(v[0]).scatter(1, each.indices, each.values) for each in kept])
        return f, none, none
    f, cut = _largest_of_batch(v, [int(k * x.shape[1]) for k in group.active])
    return f, none, cut


def _largest_of_batch(v: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Return `v` with all but the largest positive `counts[i]` of each instance at 0, and the smallest kept."""
    flat = v.relu().flatten(1)
    ordered = flat.detach().sort(dim=1, descending=True).values
    wanted = torch.tensor(counts, device=v.device)
    place = torch.minimum(wanted, (ordered > 0).sum(dim=1)).clamp(min=1) - 1
    cut = ordered.gather(1, place[:, None])
    return (flat * ((flat >= cut) & (flat > 0))).view_as(v), cut[:, 0]


def _squared(error: Tensor) -> Tensor:
    """Return the squared length, mean over the batch: (instance,)."""
    return (error**2).sum(dim=2).mean(dim=1)


def _nested(f: Tensor, W_dec: Tensor, b_dec: Tensor, x: Tensor, ends: tuple[int, ...]) -> Tensor:
    errors = [((f[:, :end] @ W_dec[:end] + b_dec - x) ** 2).sum(dim=1).mean() for end in ends]
    return torch.stack(errors).mean()


def _aux(v: Tensor, W_dec: Tensor, error: Tensor, dead: Tensor, count: int) -> Tensor:
    """Return E ||x̂ + W_dec^T f - x||^2 with f the strongest dead latents; 0 where none is dead."""
    silent = v.relu() * dead[:, None]
    kept = silent.topk(min(count, silent.shape[2]), dim=2)
    f = torch.zeros_like(v).scatter(2, kept.indices, kept.values)
    return _squared(torch.bmm(f, W_dec) + error) * dead.any(dim=1)


def aux_latents(specification: Specification, hidden: int) -> int:
    """Return how many dead latents per sample may try at the residual; 0 without that remedy."""
    if not specification.aux:
        return 0
    return specification.aux_latents or max(1, hidden // 2)


@dataclass(frozen=True)
class Slopes:
    """The gradient `flat` (instance, parameter), who `fired` (instance, latent), mean L0 `active` and `cut`."""

    flat: Tensor
    fired: Tensor
    active: Tensor
    cut: Tensor


def gradients(specification: Specification, parts: list[Group], now: Tensors, x: Tensor) -> Slopes:
    """Return the gradient of every instance's loss at x (instance, batch, hidden)."""
    flat, (latents, hidden) = torch.zeros_like(now.flat), (now.silent.shape[1], x.shape[2])
    fired, active, cut = torch.zeros_like(now.silent, dtype=torch.bool), *(torch.zeros_like(now.penalty) for _ in "ab")
    for group in parts:
        chosen = group.chosen
        leaf = now.flat[chosen].requires_grad_()
        dead = (now.silent[chosen] >= specification.dead_after) & group.valid[:, 0]
        w = named(leaf, latents, hidden)
        found = losses(group, w, x[chosen], now.penalty[chosen], dead, specification)
        # Each instance's loss depends on its own weights alone, so the gradient of the sum holds all of them.
        (flat[chosen],) = torch.autograd.grad(found.loss.sum(), [leaf])
        fired[chosen] = found.fired.any(dim=1)
        active[chosen] = found.fired.sum(dim=2).float().mean(dim=1)
        cut[chosen] = found.cut
    return Slopes(flat, fired, active, cut)


class Trainer:
    """Trains all instances in lockstep on one device; see `train` for who calls it."""

    def __init__(self, specification: Specification, state: State, rates: NDArray[np.float64], device: str) -> None:
        self.specification, self.rates, self.device = specification, rates, device
        self.latents, self.hidden = state.latents, state.hidden
        self.parts = groups(specification, device)
        models = specification.models
        self.source = torch.tensor([model.source for model in models], device=device)
        self.active = torch.tensor([model.active for model in models], device=device)
        adapted = [model.variant in PENALISED and model.penalty is None for model in models]
        self.adapted = torch.tensor(adapted, device=device)
        nested = [model.variant in ("batchtopk", "matryoshka") for model in models]
        self.thresholded = torch.tensor(nested, device=device)
        self.frozen = torch.tensor([model.frozen for model in models], device=device)
        width = torch.tensor([model.width for model in models], device=device)
        self.real = torch.arange(self.latents, device=device) < width[:, None]
        self.set(state)

    def set(self, state: State) -> None:
        """Take over a state."""
        arrays = (state.parameters, state.first, state.second, state.penalty, state.threshold, state.silent)
        self.now = Tensors(*(torch.tensor(array, device=self.device) for array in arrays))

    def state(self, step: int) -> State:
        """Return the present state, on the host."""
        now = self.now
        tensors = (now.flat, now.first, now.second, now.penalty, now.threshold, now.silent)
        return State(step, self.latents, self.hidden, *(each.cpu().numpy().copy() for each in tensors))

    def chunk(self, x: NDArray[np.float32], step: int, places: dict[int, int]) -> None:
        """Train on x (step, source, batch, hidden), the first of which is step number `step`."""
        row = torch.tensor([places[int(source)] for source in self.source], device=self.device)
        for t, batch in enumerate(torch.from_numpy(x).to(self.device)):
            self._step(batch[row], step + t)

    def _step(self, x: Tensor, step: int) -> None:
        now, spec = self.now, self.specification
        found = gradients(spec, self.parts, now, x)
        moved = torch.where(
            now.threshold < 0, found.cut, now.threshold + spec.threshold_rate * (found.cut - now.threshold)
        )
        now.threshold = torch.where(self.thresholded, moved, now.threshold)
        self._update(found.flat, step)
        now.silent = torch.where(found.fired | ~self.real, 0, now.silent + spec.batch)
        off = (found.active.clamp(min=1e-3) / self.active).log().clamp(-1, 1)
        now.penalty = torch.where(self.adapted, now.penalty * (spec.penalty_rate * off).exp(), now.penalty)

    def _update(self, slope: Tensor, step: int) -> None:
        """Take one step of Adam; decoder rows move at right angles to themselves and keep unit length."""
        now, spec, matrix = self.now, self.specification, self.latents * self.hidden
        rows = now.flat[:, :matrix].reshape(len(slope), self.latents, self.hidden)
        along = slope[:, :matrix].reshape(rows.shape)
        along = along - (along * rows).sum(dim=2, keepdim=True) * rows
        slope = torch.cat([along.flatten(1), slope[:, matrix:]], dim=1)
        first = spec.beta1 * now.first + (1 - spec.beta1) * slope
        second = spec.beta2 * now.second + (1 - spec.beta2) * slope**2
        rate = float(self.rates[step]) / (1 - spec.beta1 ** (step + 1))
        flat = now.flat - rate * first / ((second / (1 - spec.beta2 ** (step + 1))).sqrt() + spec.epsilon)
        moved = flat[:, :matrix].reshape(rows.shape)
        length = moved.norm(dim=2, keepdim=True).clamp(min=1e-12)
        still = self.frozen[:, None, None] | (rows == 0).all(dim=2, keepdim=True)
        decoder = torch.where(still, rows, moved / length)
        now.flat = torch.cat([decoder.flatten(1), flat[:, matrix:]], dim=1)
        now.first, now.second = (self._thawed(new, old) for new, old in ((first, now.first), (second, now.second)))

    def _thawed(self, new: Tensor, old: Tensor) -> Tensor:
        """Return moments, those of frozen decoders unchanged."""
        matrix = self.latents * self.hidden
        decoder = torch.where(self.frozen[:, None], old[:, :matrix], new[:, :matrix])
        return torch.cat([decoder, new[:, matrix:]], dim=1)
