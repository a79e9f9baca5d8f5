"""The live preview: builds a draft on every change and reloads the browser, in `build/preview`.

Each build is a process of its own, so that changed code is what runs.
"""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.core.errors import ReportError
from site_builder.base import interruptions
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.keys.build_stamp import State, state_of

HOST = "127.0.0.1"


def serve_preview(project: Project, arguments: list[str], port: int, say: Callable[[str], None]) -> None:
    """Serve the preview on this machine until interrupted.

    `arguments` are the options of the builds; `say` is given sentences for the reader.
    """
    from mkdocs.livereload import LiveReloadServer

    rebuild = Rebuilder(project, arguments)
    rebuild()
    server = LiveReloadServer(rebuild, HOST, port, root=str(project.preview))
    server.error_handler = lambda code: _read(project.preview / f"{code}.html")
    for path in watched(project):
        server.watch(str(path))
    say(f"Open http://{HOST}:{port}/ (Ctrl-C ends the preview)")
    try:
        server.serve()  # type: ignore[no-untyped-call]
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ReportError(f"port {port} is taken by another program; choose one with --port") from error
    except KeyboardInterrupt:
        interruptions.forget()  # this is how a preview ends well
        say("The preview has ended.")
    finally:
        server.shutdown()


def watched(project: Project) -> list[Path]:
    """Return the files and folders whose changes lead to a new draft."""
    places = [project.docs, project.experiments, project.root / "site_builder", project.mkdocs]
    return [place for place in places if place.exists()]


class Rebuilder:
    """Builds the draft when called, unless nothing that it is made from changed since the last call."""

    def __init__(self, project: Project, arguments: list[str]) -> None:
        self.project = project
        self.arguments = arguments
        self.state: State | None = None

    def __call__(self) -> None:
        state = state_of(self.project, Options())
        if state != self.state:
            self.state = state
            command = [sys.executable, "-m", "site_builder", "preview", *self.arguments]
            subprocess.run(command, cwd=self.project.root, check=False)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
