"""A token of the held-out text with what stands around it, as a line to read."""

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.observed import Seen


def snippet(text: Seen, vocabulary: tuple[bytes, ...], token: int, before: int = 14, after: int = 10) -> str:
    """Return the text around position `token` of the text seen, with the token between « and », line ends as ⏎."""
    context = text.windows.ids.shape[1] - 1
    window, place = divmod(token, context)
    ids = text.windows.ids[window, :context]
    parts = ids[max(place - before, 0) : place], ids[place : place + 1], ids[place + 1 : place + 1 + after]
    left, middle, right = (readable(_joined(part, vocabulary)) for part in parts)
    return f"{left}«{middle}»{right}"


def _joined(ids: NDArray[np.int64], vocabulary: tuple[bytes, ...]) -> bytes:
    return b"".join(vocabulary[k] for k in ids)


def readable(text: bytes) -> str:
    """Return bytes as one line of text: line ends as ⏎, runs of spaces as one, what is no text as ·."""
    line = text.decode("utf-8", "replace").replace("\n", "⏎").replace("\ufffd", "·").replace("\t", " ")
    return "".join(sign if sign.isprintable() else "·" for sign in " ".join(line.split(" ")))
