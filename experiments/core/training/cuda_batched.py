"""The batched path of the CUDA backend: matrix products over all instances, captured once as a CUDA graph.

The same step runs eagerly where there is no CUDA device. It covers every model of the specification.

Products in float32 are left to cuBLAS: compiled for Hopper, a fused kernel around Triton's float32 `tl.dot` keeps
whole operands in registers and spills kilobytes per thread.
"""

from typing import Any

import torch
from torch import Tensor

from experiments.core.training import cuda_kernels
from experiments.core.training.cuda_inputs import Rows, Visits, data_set, draws, step_factors
from experiments.core.training.problem import Problem
from experiments.core.training.reference import Parameters
from experiments.core.training.specification import Model

BLOCK = 1024


def gradients(
    model: Model, weights: Parameters, x: Tensor, weight: Tensor, count: Tensor, mixing: Tensor | None = None
) -> Parameters:
    """Return the hand-derived gradient of the loss with respect to every parameter.

    `x` (instance, batch, feature) holds the batch in its first `count` () rows, the rest is left out;
    `weight` (instance, feature) is 2 importance / features; `mixing` is `Problem.mixing`.
    """
    W, hidden = weights["W"], model.hidden
    W_out = W.transpose(1, 2) if model.tied else weights["W_out"]
    h = x @ W.transpose(1, 2)
    if model.hidden_bias:
        h += weights["b_hidden"][:, None, :]
    if model.hidden_activation == "relu":
        h.relu_()
    # One more hidden unit that is always 1 reads out the bias: two passes over the batch less than adding it.
    h_and_one = torch.nn.functional.pad(h, (0, 1), value=1.0)
    slope = h_and_one @ torch.cat([W_out.transpose(1, 2), weights["b"][:, None, :]], dim=1)
    _slopes(model, slope, _targets(model, x, mixing), weight, count)
    slope_h = slope @ W_out
    if model.hidden_activation == "relu":
        slope_h *= h > 0
    gradient_W, gradient_read_out = slope_h.transpose(1, 2) @ x, slope.transpose(1, 2) @ h_and_one
    gradient_out, gradient_b = gradient_read_out[..., :hidden], gradient_read_out[..., hidden]
    found = {"W": gradient_W, "b": gradient_b}
    if model.tied:
        found["W"] = gradient_W + gradient_out.transpose(1, 2)
    else:
        found["W_out"] = gradient_out
    if model.hidden_bias:
        found["b_hidden"] = slope_h.sum(dim=1)
    return found


def _targets(model: Model, x: Tensor, mixing: Tensor | None) -> Tensor:
    """Return what y should equal; x itself also where the kernel of the slopes takes the absolute value."""
    wanted = x.relu() if model.target == "relu" else x
    if mixing is None:
        return wanted
    return (x.abs() if model.target == "absolute" else wanted) + x @ mixing.transpose(1, 2)


def _slopes(model: Model, z: Tensor, wanted: Tensor, weight: Tensor, count: Tensor) -> None:
    _, batch, features = z.shape
    grid = (-(-z.numel() // BLOCK),)
    absolute = model.target == "absolute" and model.target_mixing is None
    options = {"RELU": model.output == "relu", "ABSOLUTE": absolute, "FOURTH": model.loss == "l4"}
    cuda_kernels.slopes[grid](z, wanted, weight, count, z.numel(), batch, features, BLOCK=BLOCK, **options)


class Batched:
    """Steps of all instances at once on a state (see `cuda.State`)."""

    def __init__(self, problem: Problem, state: Any, visits: Visits, device: str) -> None:
        self._problem, self._state, self._visits = problem, state, visits
        self._draws = draws(problem, device)
        self._group_of = torch.tensor(self._draws.group_of, dtype=torch.int32, device=device)
        self._samples = data_set(problem, device)
        self._factors = torch.from_numpy(step_factors(problem)).to(device)
        self._weight = torch.tensor(2.0 * problem.importance / problem.model.features, device=device)
        self._rate = torch.tensor(problem.learning_rate, device=device)
        self._mixing = None if problem.mixing is None else torch.tensor(problem.mixing, device=device)
        self._step = torch.zeros((), dtype=torch.int32, device=device)
        self._count = torch.full((), problem.recipe.batch, dtype=torch.int32, device=device)
        self._x = torch.zeros(problem.instances, problem.recipe.batch, problem.model.features, device=device)
        self._graph: torch.cuda.CUDAGraph | None = None

    def advance(self, first: int, last: int) -> None:
        """Take steps `first` to `last`, without TF32 whatever the caller's setting."""
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            self._advance(first, last)
        finally:
            torch.set_float32_matmul_precision(precision)

    def _advance(self, first: int, last: int) -> None:
        rows = self._visits.rows(first, last)
        sizes = rows.spans.cpu().tolist()
        for step, (start, count) in enumerate(sizes, start=first):
            self._step.fill_(step)
            if self._problem.samples_per_epoch is not None:
                self._load(rows, start, count)
            self._take()

    def _load(self, rows: Rows, start: int, count: int) -> None:
        """Put the step's rows of the data set where the captured step expects them."""
        samples = rows.order[:, start : start + count].long()
        instance = torch.arange(len(self._samples), device=samples.device)[:, None]
        self._x[:, :count] = self._samples[instance, samples]
        self._count.fill_(count)

    def _take(self) -> None:
        if not self._x.is_cuda:
            self._take_step()
            return
        if self._graph is None:
            self._graph = self._captured()
        self._graph.replay()

    def _captured(self) -> torch.cuda.CUDAGraph:
        """Return one step as a graph; the state is as before, though capturing needs trial steps."""
        tensors = [self._state.stopped, *(t for p in self._parameters() for t in p.values())]
        saved = [t.clone() for t in tensors]
        stream = torch.cuda.Stream(self._x.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._x.device))
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._take_step()
        torch.cuda.current_stream(self._x.device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._take_step()
        for tensor, value in zip(tensors, saved, strict=True):
            tensor.copy_(value)
        return graph

    def _parameters(self) -> tuple[Parameters, Parameters, Parameters]:
        return self._state.weights, self._state.first, self._state.second

    def _take_step(self) -> None:
        """Take the step whose number is in `_step`; every tensor it reads or writes stays where it is."""
        if self._problem.samples_per_epoch is None:
            self.draw()
        model, frozen = self._problem.model, self._problem.recipe.frozen
        found = gradients(model, self._state.weights, self._x, self._weight, self._count, self._mixing)
        new = {name: self._adam(name, gradient) for name, gradient in found.items() if name not in frozen}
        sound = torch.stack([self._sound(value) & self._sound(second) for value, _, second in new.values()]).all(dim=0)
        stopped = self._state.stopped
        stopped.copy_(torch.where((stopped < 0) & ~sound, self._step, stopped))
        healthy = stopped < 0
        for name, values in new.items():
            for kept, value in zip(self._parameters(), values, strict=True):
                kept[name].copy_(torch.where(_per(healthy, value), value, kept[name]))

    def draw(self) -> Tensor:
        """Return the fresh batch (instance, batch, feature) of the step whose number is in `_step`."""
        instances, batch, features = self._x.shape
        quads, block = 32, 32
        grid = (instances, -(-batch // (4 * quads)), -(-features // block))
        table = self._draws
        cuda_kernels.draw[grid](
            self._x, self._step, table.key, table.threshold, table.scale, table.offset, table.low, table.high,
            table.reach, self._group_of, batch, features,
            QUADS=quads, BLOCK=block, GROUPED=table.groups > 0, SIGNED=table.signed,
        )  # fmt: skip
        return self._x

    def _adam(self, name: str, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return a parameter and its moments after this step (see `cuda_kernels.adam`)."""
        recipe = self._problem.recipe
        factor, size, correction = self._factors.index_select(0, self._step.reshape(1))[0].unbind()
        first = recipe.beta1 * self._state.first[name] + (1 - recipe.beta1) * gradient
        second = recipe.beta2 * self._state.second[name] + (1 - recipe.beta2) * gradient * gradient
        rate = _per(self._rate, gradient)
        decayed = self._state.weights[name] * (1 - rate * factor * recipe.weight_decay)
        return decayed - rate * size * first / (second.sqrt() * correction + recipe.epsilon), first, second

    @staticmethod
    def _sound(values: Tensor) -> Tensor:
        return values.isfinite().flatten(1).all(dim=1)


def _per(values: Tensor, like: Tensor) -> Tensor:
    """Return (instance,) values shaped to broadcast over `like` (instance, ...)."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
