"""Executes a notebook once per change of what it depends on, and keeps the result.

A notebook is a script with cells (`# %%`), so that it is edited, compared and linted like any other file. What it
depends on is its own text, all of `experiments.core`, the way its figures are shown, and the packages it computes
with. A cell that raises is a problem with a line, and nothing is kept of it.
"""

import asyncio
import atexit
import hashlib
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from importlib import metadata
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError
from site_builder.store.entries import read_stamp, remove, write_file, write_stamp
from site_builder.store.records import Problem
from site_builder.text.math_extension import DISPLAY, INLINE, mathml
from site_builder.text.typed_numbers import prose, typed_numbers

PACKAGES = ("torch", "numba", "numpy", "scipy", "matplotlib")
"""Packages whose version can change what a notebook shows."""

TIMEOUT = 300
"""Seconds that one cell, or the start of the kernel on a busy machine, may take."""


def execute_all(folder: Path, out: Path, cache: Path, root: Path) -> list[Problem]:
    """Execute every notebook of `folder`, in the repository `root`, into `out` under its name, ending in ".ipynb"."""
    return [
        problem
        for source in sorted(folder.glob("*.py"))
        for problem in execute(source, out / f"{source.stem}.ipynb", cache, root)
    ]


def execute(source: Path, out: Path, cache: Path, root: Path) -> list[Problem]:
    """Write the executed notebook `source` to `out` (.ipynb), taking it from `cache` when nothing it needs changed.

    Returns what is wrong with it; then `out` is left as it was.
    """
    executed, problems = executed_once(source, cache, root)
    if not problems and (not out.is_file() or out.read_text(encoding="utf-8") != executed):
        write_file(out, executed)
    return problems


def executed_once(source: Path, cache: Path, root: Path) -> tuple[str, list[Problem]]:
    """Return the executed notebook as the site shows it, from `cache` if it is there, and what is wrong with it."""
    text = source.read_text(encoding="utf-8")
    where = f"docs/notebooks/{source.name}"
    kept = _kept(source, text, cache, root)
    executed = read_stamp(kept)
    if isinstance(executed, str):
        return executed, []
    notebook, lines = _read(text)
    problems = _wrong_words(notebook, lines, where) or _run(notebook, lines, where, root)
    if problems:
        return "", problems
    executed = _written(notebook)
    for old in cache.glob(f"{source.stem}-*"):
        remove(old)
    write_stamp(kept, executed)
    return executed, []


def not_executed(folder: Path, cache: Path, root: Path) -> list[Path]:
    """Return the notebooks of `folder` that are not in `cache` as they would be executed now."""
    sources = sorted(folder.glob("*.py"))
    return [source for source in sources if not _kept(source, source.read_text("utf-8"), cache, root).is_file()]


def _kept(source: Path, text: str, cache: Path, root: Path) -> Path:
    return cache / f"{source.stem}-{_key(text, root)[:12]}.json"


def _key(text: str, root: Path) -> str:
    """Return the digest of everything that decides what the executed notebook holds."""
    digest = hashlib.sha256(text.encode())
    code = [
        *sorted((root / "experiments" / "core").rglob("*.py")),
        *sorted(Path(__file__).parent.glob("notebook*.py")),
    ]
    for path in code:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    versions = [f"{package} {metadata.version(package)}" for package in PACKAGES]
    digest.update("\n".join([sys.version, *versions]).encode())
    return digest.hexdigest()


def _read(text: str) -> tuple[Any, list[int]]:
    """Return the notebook and the line of the script on which the content of each cell begins."""
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    marks = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("# %%")]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # jupytext draws them at random
    return notebook, [mark + 1 for mark in marks]


def _wrong_words(notebook: Any, lines: list[int], where: str) -> list[Problem]:
    """Return what is wrong with the prose: numbers that nothing checks, formulas that cannot be set."""
    problems = []
    for cell, first in zip(notebook.cells, lines, strict=True):
        if cell.cell_type != "markdown":
            continue
        for number in typed_numbers(cell.source):
            sentence = f"the number {number.text} is typed into prose; compute it in a cell, or write it as a formula"
            problems.append(Problem(f"{where}:{first + number.line - 1}", sentence))
        try:
            _with_mathml(prose(cell.source))
        except ReportError as error:
            problems.append(Problem(f"{where}:{first}", str(error)))
    return problems


def _run(notebook: Any, lines: list[int], where: str, root: Path) -> list[Problem]:
    """Execute the cells in place, in a fresh kernel; return the error of the first that fails."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *([before] if before else [])])
    client = NotebookClient(
        notebook, timeout=TIMEOUT, startup_timeout=TIMEOUT, kernel_name="python3", record_timing=False
    )
    client.create_kernel_manager().transport_encryption = "auto"  # the sockets are open to every user of the machine
    try:
        _execute(client, root)
    except CellExecutionError as error:
        failed = next(number for number, cell in enumerate(notebook.cells) if _raised(cell))
        return [
            Problem(f"{where}:{lines[failed]}", f"this cell raised {error.ename}: {' '.join(error.evalue.split())}")
        ]
    except (CellTimeoutError, DeadKernelError, RuntimeError, AssertionError) as error:
        first = error.__context__ or error  # a kernel that does not start fails again when it is put away
        return [Problem(where, f"the notebook did not finish ({' '.join(str(first).split())[:200]}); build again")]
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return []


def _execute(client: Any, root: Path) -> None:
    """Execute all cells in a thread, since in the main thread the client would take signals for itself.

    An interruption ends the kernel, whatever it is doing, and with it the thread.
    """
    try:
        with ThreadPoolExecutor(1) as alone:
            work = alone.submit(asyncio.run, client.async_execute(cwd=str(root)))  # which closes the event loop
            try:
                work.result()
            except KeyboardInterrupt:
                while not work.done():
                    _kill_kernel(client)
                    wait([work], timeout=0.2)
                raise
    finally:
        # A client whose kernel died as it started would put it away once more at the end of the program, and fail.
        atexit.unregister(client._cleanup_kernel)


def _kill_kernel(client: Any) -> None:
    process = getattr(getattr(client.km, "provisioner", None), "process", None)
    if process is not None and process.poll() is None:
        process.kill()


def _raised(cell: Any) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _written(notebook: Any) -> str:
    """Return the executed notebook as the site shows it: the same bytes for the same content, formulas as MathML."""
    import nbformat

    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            cell["source"] = _with_mathml(cell.source)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    notebook.metadata["language_info"] = {"name": "python", "version": version}
    return str(nbformat.writes(notebook))  # type: ignore[no-untyped-call]


def _with_mathml(source: str) -> str:
    box = '<div class="formula">{}</div>'
    source = re.sub(DISPLAY, lambda formula: box.format(mathml(formula[1], display=True)), source, flags=re.DOTALL)
    return re.sub(INLINE, lambda formula: mathml(formula[1]), source)
