"""The configuration of both censuses of arrangements, in the plane and in space."""

from dataclasses import dataclass

from experiments.core.training.specification import Recipe


@dataclass(frozen=True)
class CensusConfig:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models per density
    features: int = 10
    hidden: int = 2
    p: tuple[float, ...] = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.24, 0.18, 0.13, 0.09, 0.06, 0.04, 0.025, 0.015)
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 1e-2  # falls to 0 along a cosine
    samples: int = 1 << 16  # of the common set on which all runs of a density are compared
    best_of: int = 16  # runs, of which the best by loss is compared with the exact optimum
    judged: int = 2  # best runs of each density whose loss is computed exactly
    computed_points: int = 41  # densities at which shapes are computed, from the least p to the largest
    curve_points: int = 241  # of the smooth curves through them
    sweep_points: int = 24  # densities of the sweeps up and down
    sweep_seeds: int = 32  # models that are swept each way
    held_models: int = 64  # that start from either shape at each transition
    sweep_steps: int = 1000
    sweep_rate: float = 3e-3
    jitter: float = 0.03  # standard deviation of what is added to W before a model goes on at another density

    @property
    def recipe(self) -> Recipe:
        """How the models of the census train."""
        return Recipe(
            steps=self.steps, batch=self.batch, learning_rate=self.learning_rate, schedule="cosine", start="xavier"
        )
