"""Reads committed measurements."""

import json
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError


def read_json(path: Path, command: str) -> dict[str, Any]:
    """Return what a measurement file holds; raises ReportError, naming the `command` that writes it."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"{path.name}: no measurement can be read ({error}); `{command}` writes one") from error
    return found
