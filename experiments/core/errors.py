"""The one base class for mistakes a user can mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class ReportError(Exception):
    """A mistake its reader can mend: one sentence that says where, what, and what next."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the known name nearest to `name`, or an empty string."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
