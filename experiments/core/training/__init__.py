"""One way to train toy models, three backends behind it.

`train(data, model, recipe)` trains every instance (a seed, a point of a sweep) of a batch of toy
models at once. The reference backend defines what training means; the CPU and CUDA backends do the
same faster. See `specification` for what can be asked and `train` for how a backend is chosen.
"""

from experiments.core.training.checks import SpecificationError
from experiments.core.training.divergence import DivergedError
from experiments.core.training.specification import Data, Model, Recipe, Trained, Weights, log_spaced_steps
from experiments.core.training.train import train

__all__ = [
    "Data",
    "DivergedError",
    "Model",
    "Recipe",
    "SpecificationError",
    "Trained",
    "Weights",
    "log_spaced_steps",
    "train",
]
