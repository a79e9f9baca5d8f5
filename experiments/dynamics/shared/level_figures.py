"""What a reader can move by hand in the figure of energy levels."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.quantity_words import power_of_ten
from experiments.core.views import Curves, Frames


def moving_levels(
    steps: NDArray[np.int64], levels: NDArray[np.float32], loss: NDArray[np.float64], lives: NDArray[np.bool_]
) -> Frames:
    """Return frames of the dimensionality of every feature, `levels` (time, feature), and of the `loss` (time,).

    `lives` says which features end represented: (feature,).
    """
    places = np.unique(np.searchsorted(steps, np.geomspace(60, float(steps[-1]), 36)))
    time = np.log10(steps[places])
    shown = np.log10(loss[places] - loss.min() + 1e-5)
    ticks = tuple((float(power), f"{10**power:,}") for power in (2, 3, 4) if time[0] <= power <= time[-1])
    dimensionality = levels[places].astype(np.float64)
    colours = tuple(0 if represented else 3 for represented in lives)
    paired = (np.abs(levels[places] - 0.5) < 0.1).sum(axis=1)
    captions = tuple(
        f"step {step:,}, loss {value:.4f}, {count} features near 1/2"
        for step, value, count in zip(steps[places], loss[places], paired, strict=True)
    )
    low, high = int(np.floor(shown.min())), int(np.ceil(shown.max()))
    powers = tuple((float(power), power_of_ten(power)) for power in range(low, high + 1))
    halves = ((0.0, "0"), (0.5, "1/2"), (1.0, "1"))
    first = Curves(
        "Dimensionality of each feature", time, dimensionality, "step", "dimensionality", ticks, halves, colours=colours
    )
    second = Curves(
        "Loss above its least", time, shown[:, None], "step", "loss above its least", ticks, powers, colours=(1,)
    )
    return Frames(
        "The dimensionality of every feature over training, and the loss: features jump to one half as the loss falls",
        captions,
        (first, second),
    )
