"""Adam against the library's."""

import pytest
import torch

from experiments.alarm.shared.adam import Adam


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_those_of_the_library(decay):
    generator = torch.Generator().manual_seed(0)
    ours = [torch.randn(3, 4, generator=generator), torch.randn(5, generator=generator)]
    theirs = [part.clone().requires_grad_() for part in ours]
    adam, library = Adam([part.numpy() for part in ours], decay), torch.optim.AdamW(theirs, lr=1e-2, weight_decay=decay)
    for _ in range(30):
        gradients = [torch.randn(part.shape, generator=generator) for part in ours]
        adam.step([gradient.numpy() for gradient in gradients], 1e-2)
        for part, gradient in zip(theirs, gradients, strict=True):
            part.grad = gradient
        library.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other.detach(), rtol=1e-5, atol=1e-6)
