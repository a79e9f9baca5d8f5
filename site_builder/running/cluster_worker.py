"""What a worker of a cluster does: it runs experiments, or pieces of one that another worker runs.

It makes the run key itself and refuses when its code, packages or device differ from those of the one who asked, and
when its files are no longer those it started with.
"""

import importlib
import io
import json
import os
import time
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments.core import pieces
from experiments.core.errors import ReportError
from experiments.core.progress import listening
from site_builder.base.options import Options
from site_builder.base.project import Project, find_project
from site_builder.results import runs
from site_builder.running import plain_values
from site_builder.running.jobs import RunJob
from site_builder.running.shared_pieces import Asker, Sharing
from site_builder.running.workers import use_threads

TOPIC = "report-progress"

MEMBERS = ("result.json", "result.npz", "run.json", "key.json")
REFUSED, FAILED = "refused.txt", "failed.json"
LARGEST = 1 << 30
"""Bytes that one result may unpack to."""

BETWEEN_NEWS = 1.0
"""Seconds between two times that a worker says how far it is, and looks whether its work was taken back."""


class TakenBack(ReportError):
    """The one who asked no longer wants it."""


def run_on_worker(module: str, options: dict[str, Any], wanted: dict[str, str]) -> bytes:
    """Run one experiment here and return its files, packed; a refusal or a failure is a file of its own."""
    from distributed import get_client, get_worker

    worker = get_worker()
    address = str(worker.address)
    asker = Asker(module, options, wanted)
    try:
        project = _project()
        sentence = _refusal(project, asker)
        if sentence:
            return packed(address, {REFUSED: sentence.encode()})
        job, folder = _job(project, asker)
        teller = _Teller(worker, job.name)
        with pieces.helped(Sharing(get_client, asker, do_on_worker, teller.advanced)):
            failed = job.do(teller)
        if failed:
            return packed(address, {FAILED: json.dumps(asdict(failed)).encode()})
        return packed(address, {name: (folder / name).read_bytes() for name in MEMBERS})
    except (Exception, SystemExit) as error:
        return packed(address, {REFUSED: f"{type(error).__name__}: {error}".encode()})


def do_on_worker(
    module: str, options: dict[str, Any], wanted: dict[str, str], sent: bytes, place: tuple[str, int]
) -> bytes:
    """Do a piece of an experiment and return what it returns, packed; nothing where this worker differs or it fails.

    `place` is the topic under which to say that it is begun, and its number. The one who asked does himself what does
    not come back, and tells what goes wrong then.
    """
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(*place)
    asker = Asker(module, options, wanted)
    try:
        if _refusal(_project(), asker):
            return b""
        from experiments.core.threads import undisturbed  # imports torch and numba, as an experiment does

        with listening(_Teller(worker, "").advanced), undisturbed():
            name, given = plain_values.unpacked(sent)
            return plain_values.packed(plain_values.named(name)(*given))
    except (Exception, SystemExit):
        return b""


def record_code(project: Project) -> None:
    """Remember the code that this worker starts with."""
    STARTED_WITH[:] = [_code(project)]


def _project() -> Project:
    """Return the project of the folder in which this worker was started, settled for one task at a time.

    A worker of a batch system (`dask worker`) imports the project with its first task, and remembers its code then.
    """
    project = find_project(Path.cwd())
    if not STARTED_WITH:
        record_code(project)
    if os.environ.get("REPORT_THREADS", "1") == "1":
        use_threads(1)  # there is a worker for each core; numba counts by thread of this process
    return project


def _refusal(project: Project, asker: Asker) -> str:
    """Return in one sentence how this worker differs from the one who asks; empty if it does not."""
    if STARTED_WITH[0] != _code(project):
        return "its files changed since it started; start it again"
    if asker.digest in ACCEPTED:
        return ""
    from site_builder.base.environment import device_class
    from site_builder.keys.run_keys import changes

    device_class(asker.options["device"])
    differences = changes(asker.wanted, _job(project, asker)[0].key.parts)
    if differences:
        others = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
        return f"it has other code, packages or device ({differences[0]}{others}); bring it to the same commit"
    ACCEPTED.add(asker.digest)
    return ""


def _job(project: Project, asker: Asker) -> tuple[RunJob, Path]:
    options = Options(**asker.options)
    experiment = importlib.import_module(asker.module).experiment
    key = runs.key_of(project, runs.sources_of(project), experiment, options)
    return RunJob(project, asker.module, options, key), runs.entry(project, experiment, key)


def _code(project: Project) -> str:
    from site_builder.keys.build_stamp import running_code_digest

    return running_code_digest(project)


STARTED_WITH: list[str] = []
"""The digest of the project's code when this worker started."""


ACCEPTED: set[str] = set()
"""The digests of askers whose run key is that of the code this worker started with."""


@dataclass
class _Teller:
    """The watcher on a worker: tells the one who asked how far `name` is, and ends what was taken back."""

    worker: Any
    name: str
    spoke: float = 0.0
    task: str = field(init=False)

    def __post_init__(self) -> None:
        self.task = self.worker.get_current_task()

    def began(self, what: str) -> None: ...

    def ended(self, what: str, seconds: float) -> None: ...

    def progressed(self, share: float) -> None: ...

    def said(self, sentence: str) -> None: ...

    def advanced(self, step: str, fraction: float) -> None:
        """Say how far it is, unless it is a piece, for which the one who asked speaks; raises TakenBack."""
        if time.monotonic() - self.spoke < BETWEEN_NEWS:
            return
        self.spoke = time.monotonic()
        task = self.worker.state.tasks.get(self.task)
        if task is not None and task.state == "cancelled":
            raise TakenBack("it was taken back")
        if self.name:
            self.worker.log_event(TOPIC, (self.name, step, float(fraction)))  # a number of numpy does not travel


def packed(worker: str, files: dict[str, bytes]) -> bytes:
    """Return what a worker sends back: its address, and files by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = worker.encode()
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def unpacked(returned: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the worker's address and its files; raises ReportError for anything else than `packed` writes."""
    try:
        with zipfile.ZipFile(io.BytesIO(returned)) as archive:
            names = {each.filename: each.file_size for each in archive.infolist()}
            if not names.keys() <= {*MEMBERS, REFUSED, FAILED} or sum(names.values()) > LARGEST:
                raise ReportError(f"a worker sent {', '.join(names)}, which is no result")
            return archive.comment.decode(), {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, TypeError, UnicodeDecodeError) as error:
        raise ReportError(f"a worker sent something that is no result ({error})") from error
