"""Adam for a few tensors. That of the library loads its compiler first, which takes longer than training a probe."""

from collections.abc import Sequence

import torch

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019), as in torch.optim.AdamW."""

    def __init__(self, parts: Sequence[torch.Tensor], weight_decay: float = 0.0) -> None:
        self.parts, self.weight_decay, self.steps = list(parts), weight_decay, 0
        self.first = [torch.zeros_like(part) for part in self.parts]
        self.second = [torch.zeros_like(part) for part in self.parts]

    def step(self, gradients: Sequence[torch.Tensor], rate: float) -> None:
        """Move every part, in place, against its gradient with the learning rate `rate`."""
        self.steps += 1
        shrunk, spread = (1 - beta**self.steps for beta in BETAS)
        with torch.no_grad():
            for part, gradient, first, second in zip(self.parts, gradients, self.first, self.second, strict=True):
                part.mul_(1 - rate * self.weight_decay)
                first.lerp_(gradient, 1 - BETAS[0])
                second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                part.addcdiv_(first, (second / spread).sqrt_().add_(EPSILON), value=-rate / shrunk)
