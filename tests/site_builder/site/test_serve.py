"""The preview follows the reader's edits."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from site_builder.site.serve import Rebuilder


def hears_interruptions():
    """Let a child be interrupted also where these tests run in the background, which ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_draft_is_built_only_when_something_it_is_made_from_changed(tiny, monkeypatch):
    built: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: built.append(command))
    monkeypatch.setattr("site_builder.base.environment.git", lambda *_: None)
    rebuild = Rebuilder(tiny.project, ["--scale", "quick"])
    rebuild()
    rebuild()
    assert [command[-3:] for command in built] == [["preview", "--scale", "quick"]]
    tiny.edit("docs/waves.md", "swings", "moves")
    rebuild()
    (tiny.root / "experiments/waves/__pycache__").mkdir()
    (tiny.root / "experiments/waves/__pycache__/x.pyc").touch()
    rebuild()
    assert len(built) == 2


def test_the_preview_shows_an_edit_and_a_failure_without_being_started_again(built_once, tmp_path, clean_environment):
    root = tmp_path / "report"
    subprocess.run(["cp", "-r", built_once, root], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "site_builder", "serve", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=root, env=clean_environment, preexec_fn=hears_interruptions, **quiet) as process:
        try:
            wait_for("swings about", port)
            replace(root / "docs/waves.md", "swings about", "moves about")
            wait_for("moves about", port)
            replace(
                root / "experiments/waves/cosine.py", "    return Result(", "    raise ValueError('no luck')\n    ("
            )
            wait_for("no luck", port)
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def wait_for(text: str, port: int, seconds: float = 60) -> None:
    """Read the page until it holds `text`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port}/waves.html", timeout=60) as page:
                if text in page.read().decode():
                    return
        except OSError:
            pass  # not up yet
        time.sleep(0.2)
    raise AssertionError(f"the preview never showed {text!r}")
