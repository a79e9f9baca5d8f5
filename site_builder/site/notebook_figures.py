"""Shows a figure inside a notebook: in both themes, with a text that describes it."""

import io
from base64 import b64encode
from collections.abc import Callable
from html import escape

import matplotlib as mpl
from IPython.display import HTML, display
from matplotlib.figure import Figure

from experiments.core.plotting.style import theme
from site_builder.figures.svg import compact


def show(draw: Callable[[], Figure], *, alt: str) -> None:
    """Display what `draw` returns, drawn once per theme; the page shows the one that fits the reader's scheme."""
    pictures = {name: b64encode(_svg(draw, name, alt)).decode() for name in ("light", "dark")}
    hidden = {"light": "", "dark": ' style="display: none"'}  # where no stylesheet of ours decides
    images = (
        f'<img class="only-{name}"{hidden[name]} alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'
        for name, data in pictures.items()
    )
    display(HTML("".join(images)))  # type: ignore[no-untyped-call]


def _svg(draw: Callable[[], Figure], name: str, alt: str) -> bytes:
    with theme(name), mpl.rc_context({"svg.hashsalt": f"notebook-{name}"}):
        buffer = io.StringIO()
        draw().savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return compact(buffer.getvalue(), alt).encode()
