"""How a command ends: what it says last, and its exit status.

A wrong word on the command line ends with 2, a failure with 1, an interruption with 130 or 143.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from experiments.core.errors import ReportError
from site_builder.base import interruptions
from site_builder.base.console import say_what_can_be_encoded
from site_builder.base.options import WrongOption
from site_builder.base.project import Project
from site_builder.base.refusals import OUTPUT, refusal

if TYPE_CHECKING:
    from site_builder.store.records import Report

INTERRUPTED = "Interrupted; what was finished is kept, and the same command goes on from there."


def conclude(result: "Report") -> None:
    """Print every problem and end with 1 if there is one."""
    if not result.problems:
        return
    for problem in result.problems:
        print(f"{problem.where}: {problem.message}", file=sys.stderr)
    count = len(result.problems)
    end(1, f"{count} problem{'s' if count > 1 else ''}; everything else is done and kept")


def tell_absent(result: "Report") -> None:
    """Say how much of the report has no result in this build, if anything has none."""
    if result.absent:
        print(f"{len(result.absent)} names have no result in this build; the site has a card in their place.")


def refuse_differences(project: Project) -> None:
    """End with 1 if the finished site differs from the published run."""
    from dataclasses import replace

    from site_builder.published.reproduction import differences
    from site_builder.queries import last_report

    report = last_report(project)
    conclude(replace(report, problems=differences(report)))


def tell_reproduction(result: "Report") -> None:
    """Say how much of the published run was reproduced, and where the rest stands."""
    from site_builder.published.reproduction import paragraph

    text = paragraph(result.reproduction) if result.reproduction else ""
    if text:
        print(text)


def counted(result: "Report") -> str:
    """Return how much a report holds: "3 runs, 8 figures and 5 claims"."""
    return f"{len(result.runs)} runs, {len(result.figures)} figures and {len(result.claims)} claims"


def end(code: int, sentence: str) -> Any:
    """Print one sentence to the error stream and end the program."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


def _refused(error: OSError) -> str:
    """Return in one sentence what a disk refused; raises any other error again.

    All that is written to disk names its place when it fails, so an error without a place is one of the output.
    """
    sentence = refusal(error, OUTPUT)
    if sentence is None:
        raise error
    try:
        sys.stdout.flush()
    except OSError:  # what is left to say cannot be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return sentence


@contextmanager
def said_in_one_sentence() -> Iterator[None]:
    """Turn a mistake that can be mended, or an interruption, into one sentence and an exit code.

    Nothing but the end of a command ends it well: code that calls `sys.exit` on the way is a mistake, too.
    """
    say_what_can_be_encoded()
    try:
        with interruptions.heeding():
            yield
    except WrongOption as error:
        end(2, str(error))
    except ReportError as error:
        end(1, str(error))
    except OSError as error:
        end(1, _refused(error))
    except SystemExit as error:
        end(1, f"something called sys.exit({error.code!r}) before the command was done; nothing more was made")
    except KeyboardInterrupt:
        end(interruptions.exit_code(), INTERRUPTED)
