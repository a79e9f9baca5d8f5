"""Training with the fourth power of the error and a linear output, which `Model` does not offer.

The model is that of the compressed-computation dispute: y = W_out hidden_activation(W x) (+ b), untied, linear at the
output, loss = mean over batch and features of importance * (y* - y)^4.
"""

from experiments.core.training.checks import SpecificationError
from experiments.core.training.cpu import options_of, train_cpu
from experiments.core.training.divergence import refuse_diverged
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe, Weights


def train_fourth(data: Data, model: Model, recipe: Recipe, instances: int | None = None) -> Weights:
    """Return the trained weights of all instances, minimising the fourth power of the error; always on the CPU.

    `model` says loss="l2" and is otherwise as for `train`. Raises `SpecificationError` unless its output is linear and
    its weights are untied, and `DivergedError` as `train` does. A result depends on the instance's own seed alone.
    """
    if model.output != "linear" or model.tied or model.loss != "l2":
        raise SpecificationError(
            f"model has output={model.output!r}, tied={model.tied}, loss={model.loss!r}; train_fourth serves "
            "output='linear', tied=False, and loss='l2', which it replaces"
        )
    problem = resolve(data, model, recipe, instances)
    trained = train_cpu(problem, options=options_of(problem)._replace(fourth=True))
    refuse_diverged(problem, trained)
    return trained.weights
