"""A notebook runs once per change; an error is one sentence with a line; nothing of a failure is kept."""

import atexit
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from site_builder.base.console import Lines
from site_builder.base.project import Project
from site_builder.running.jobs import NotebookJob
from site_builder.site import notebook

REPOSITORY = Path(__file__).parents[3]

CELLS = '# %% [markdown]\n# # Title\n#\n# The map $W^T W$.\n\n# %%\nprint("seven:", 3 + 4)\n'


@pytest.fixture
def run(tmp_path: Path):
    def execute(text: str) -> tuple[list[str], Path]:
        source, out = tmp_path / "n.py", tmp_path / "out" / "n.ipynb"
        source.write_text(text, "utf-8")
        problems = notebook.execute(source, out, tmp_path / "cache", REPOSITORY)
        return [f"{problem.where} {problem.message}" for problem in problems], out

    return execute


def test_an_executed_notebook_holds_outputs_and_mathml_and_is_not_run_twice(run, monkeypatch) -> None:
    problems, out = run(CELLS)
    executed = json.loads(out.read_text("utf-8"))
    assert problems == []
    assert executed["cells"][1]["outputs"][0]["text"] == ["seven: 7\n"]
    assert "<math" in "".join(executed["cells"][0]["source"])
    monkeypatch.setattr(notebook, "_run", lambda *_: pytest.fail("it ran again"))
    out.unlink()
    assert run(CELLS)[0] == []
    assert json.loads(out.read_text("utf-8")) == executed


def test_what_was_executed_while_others_drew_is_not_run_again(tmp_path: Path, monkeypatch) -> None:
    folder, cache = tmp_path / "docs" / "notebooks", tmp_path / "build" / "notebooks"
    folder.mkdir(parents=True)
    (folder / "n.py").write_text(CELLS, "utf-8")
    (source,) = notebook.not_executed(folder, cache, tmp_path)
    assert NotebookJob(Project(tmp_path), source).do(Lines()) is None
    assert notebook.not_executed(folder, cache, tmp_path) == []
    monkeypatch.setattr(notebook, "_run", lambda *_: pytest.fail("it ran again"))
    assert notebook.execute_all(folder, tmp_path / "out", cache, tmp_path) == []
    assert "seven: 7" in (tmp_path / "out" / "n.ipynb").read_text("utf-8")


def test_a_cell_that_raises_is_named_with_its_line_and_nothing_is_kept(run, tmp_path: Path) -> None:
    problems, out = run(CELLS + "\n# %%\nraise ValueError('no such thing')\n")
    assert problems == ["docs/notebooks/n.py:10 this cell raised ValueError: no such thing"]
    assert not out.exists()
    assert not list((tmp_path / "cache").glob("*"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("# A share of 0.93.", "docs/notebooks/n.py:2 the number 0.93 is typed into prose"),
        (r"# A formula $\nonsense$.", r"docs/notebooks/n.py:2 the formula $\nonsense$ cannot be set"),
    ],
)
def test_prose_is_checked_before_anything_runs(run, monkeypatch, line: str, problem: str) -> None:
    monkeypatch.setattr(notebook, "_run", lambda *_: pytest.fail("it ran"))
    problems, _ = run(f"# %% [markdown]\n{line}\n")
    assert len(problems) == 1
    assert problems[0].startswith(problem)


INTERRUPTED = """
import os, signal, sys, threading, time
from pathlib import Path
from site_builder.base import interruptions
from site_builder.base.console import Lines
from site_builder.base.project import Project
from site_builder.running.jobs import NotebookJob
from site_builder.site import notebook

folder = Path(sys.argv[1])
cells = folder / "n.py"
cells.write_text("# %%\\nimport os, time\\nopen('kernel', 'w').write(str(os.getpid()))\\ntime.sleep(60)\\n")

def interrupt():
    while not ((folder / "kernel").is_file() and (folder / "kernel").read_text()):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=interrupt, daemon=True).start()
try:
    with interruptions.heeding():
        notebook.execute(cells, folder / "n.ipynb", folder / "cache", folder)
except interruptions.Interrupted:
    sys.exit(interruptions.exit_code())
"""


def test_an_interruption_ends_a_cell_and_its_kernel_without_a_word(tmp_path: Path, clean_environment) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    done = subprocess.run(command, env=clean_environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (143, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "kernel").read_text()), 0)


def test_a_kernel_that_dies_as_it_starts_is_put_away_once(run, monkeypatch) -> None:
    """The client would put it away again when the program ends, and print a traceback."""
    from nbclient import NotebookClient

    async def never_ready(client: NotebookClient) -> None:
        await client._async_cleanup_kernel()
        raise RuntimeError("the kernel died")

    put_away: list[object] = []
    left: list[object] = []
    monkeypatch.setattr(atexit, "register", lambda each: (put_away.append(each), left.append(each)))
    monkeypatch.setattr(atexit, "unregister", lambda each: each in left and left.remove(each))
    monkeypatch.setattr(NotebookClient, "async_start_new_kernel_client", never_ready)
    (problem,), out = run(CELLS)
    assert "the notebook did not finish (the kernel died); build again" in problem
    assert not out.exists()
    assert put_away
    assert left == []
