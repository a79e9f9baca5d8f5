"""What figures of measurements share."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator


def plain_ticks(ax: Axes) -> None:
    """Write the ticks of a logarithmic x axis as plain numbers."""
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
