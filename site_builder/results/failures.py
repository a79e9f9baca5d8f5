"""What went wrong in an experiment, as one sentence and as a traceback in a file."""

import os
import traceback
from dataclasses import dataclass
from pathlib import Path

from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.base.refusals import refusal
from site_builder.store.entries import write_file


@dataclass(frozen=True)
class Failure:
    """What happened: a sentence that says all, or a sentence and the traceback behind it."""

    sentence: str
    details: str = ""


def failure(what: str, error: BaseException) -> Failure:
    """Describe `error`, raised by `what` ("run", "figure 'starfish'")."""
    if isinstance(error, ReportError):
        return Failure(str(error))
    frames = traceback.extract_tb(error.__traceback__)
    refused = refusal(error, _place(frames)) if isinstance(error, OSError) else None
    if refused:
        return Failure(f"{what}: {refused}")
    frame = frames[-1]
    message = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    sentence = f"{what} raised {message} ({Path(frame.filename).name}, line {frame.lineno})"
    return Failure(sentence, "".join(traceback.format_exception(error)))


def _place(frames: traceback.StackSummary) -> str:
    """Return where something was written when an error that names no file was raised."""
    if any(Path(frame.filename).parts[-3:] == ("numba", "core", "caching.py") for frame in frames):
        return os.environ.get("NUMBA_CACHE_DIR", "numba's cache")
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}"


def told(project: Project, experiment: str, failed: Failure) -> str:
    """Return the sentence for a failure, its traceback kept in `build/failures/`."""
    if not failed.details:
        return failed.sentence
    log = project.failures / f"{experiment}.txt"
    try:
        write_file(log, failed.details)
    except ReportError as disk:
        return f"{failed.sentence}; its traceback could not be kept ({disk})"
    return f"{failed.sentence}; the traceback is in {log.relative_to(project.root)}"
