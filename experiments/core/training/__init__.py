"""One way to train toy models, three backends behind it.

`train(data, model, recipe)` trains every instance (a seed, a point of a sweep) of a batch of toy
models at once. The reference backend defines what training means; the CPU and CUDA backends do the
same faster. See `specification` for what can be asked and `train` for how a backend is chosen.

A kernel for another kind of model takes its parts from here. `cpu_draws` has the generator (`lane_states`, `fill_row`
per feature and tile of samples), `jit` for what Python calls and `inlined` for what kernels alone call;
`cpu_products` the products of a weight matrix with a tile; `cpu_vectors` eight numbers at once, for loops shorter than
a tile; `cpu_kernel.adam` one AdamW step on flat parameters padded to a multiple of 8, given anything with the fields
beta1, beta2, epsilon and weight_decay. All calls are inlined, so that a kernel computes the same bytes in every
process.
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
