"""How the variants of sparse autoencoders are written and marked, the same in every figure of the report."""

from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D

VARIANT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "relu": "ReLU + ℓ₁",
        "gated": "Gated",
        "topk": "TopK",
        "batchtopk": "BatchTopK",
        "jumprelu": "JumpReLU",
        "matryoshka": "Matryoshka",
        "frozen": "frozen decoder",
        "frozen decoder": "frozen decoder",
    }
)
"""Name on pages and in figures of each variant, by its name in the code."""

_MARKS = "os^Dv*"


def marked(drawn: ErrorbarContainer | Line2D, index: int) -> None:
    """Give a drawn series the mark of its `index`, so that colour is not the only difference (orange and olive)."""
    line = drawn if isinstance(drawn, Line2D) else drawn.lines[0]
    line.set_marker(_MARKS[index % len(_MARKS)])
