"""What is measured: shapes, and the ratios to the published recipe that they must and should reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """`instances` models of `features` (n) and `hidden` units (d), trained on batches of `batch` samples.

    Models are tied and linear inside, or with `two_layer` untied with a hidden ReLU, computing |x| of signed features.
    """

    instances: int
    features: int
    hidden: int
    batch: int = 1024
    two_layer: bool = False

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one step in dense arithmetic: W x, W^T h, W slope and two outer products, each n d."""
        return 5 * self.instances * self.batch * self.features * self.hidden

    @property
    def draws(self) -> int:
        """Features drawn in one step."""
        return self.instances * self.batch * self.features


@dataclass(frozen=True)
class Target:
    """A shape with the ratio it must reach at least and the one aimed for."""

    shape: Shape
    required: float
    aim: float


TARGETS = {
    "cpu": (
        Target(Shape(10, 5, 2), 20, 40),
        Target(Shape(100, 5, 2), 20, 40),
        Target(Shape(256, 5, 2, 64), 100, 300),
        Target(Shape(64, 20, 5), 12, 25),
        Target(Shape(20, 200, 20), 6, 12),
        Target(Shape(4, 100, 40), 4, 8),
        Target(Shape(64, 100, 40, two_layer=True), 5, 8),
    ),
    "cuda": (
        Target(Shape(1000, 5, 2), 30, 100),
        Target(Shape(200, 200, 20), 10, 30),
    ),
}
"""The CPU ratios are asked of two cores, the others of one H200."""

COUNTS = (1, 4, 16, 64, 256, 1024, 4096)
"""Numbers of (5, 2) models in the sweep over instances."""

PLAIN_COUNT = 1024
"""The most models the published recipe is given in that sweep: beyond, a batch of it takes gigabytes."""

SIZES = ((2, 1), (5, 2), (10, 3), (20, 5), (50, 8), (100, 12), (200, 20), (400, 30), (800, 40))
"""Features and hidden units in the sweep over sizes."""

SIZE_INSTANCES = {"cpu": 8, "cuda": 200}
"""Models in the sweep over sizes."""

MEMORY = ((Shape(4096, 5, 2), 1e9), (Shape(20, 400, 30), 2e9))
"""Shapes whose peak memory is measured, and the bytes they must stay within."""
