"""The results of the published run, as they are committed: `experiments/published/`.

`index.json` holds the version of the format and the digest of the record of each experiment. The record,
`<experiment>.json`, says how the run went, what its claims and numbers were, and which code gave them; the result
itself lies beside it in `<experiment>.zip`. A file is written anew only if what it says has changed, so that a
difference between two commits shows what moved.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path
from typing import Any

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.base.project import Project
from site_builder.results.runs import result_digest
from site_builder.store import codec
from site_builder.store.codec import EPOCH
from site_builder.store.entries import damage, is_complete, sha256, write_entry, write_file
from site_builder.store.records import ClaimRecord, RunRecord

FORMAT = 1
"""Raised whenever an older program could misread what is written here."""

INDEX, HISTORY = "index.json", "history.json"
MEMBERS = ("key.json", "result.json", "result.npz", "run.json")
LARGEST = 1 << 28
"""Bytes that one result may unpack to."""

SHIP_AGAIN = "; get it again with git, or make it with `python -m site_builder ship` after a full report"


@dataclass(frozen=True)
class PublishedClaim:
    """What a claim came out as."""

    verdict: Verdict
    statistic: Quantity


@dataclass(frozen=True)
class PublishedRun:
    """One published result: its run, the digest of the code, configuration and inputs that gave it (`code`), what it
    says, and the digests of the result (`result`) and of its archive."""

    run: RunRecord
    code: str
    result: str
    archive: str
    claims: dict[str, PublishedClaim] = field(default_factory=dict)
    numbers: dict[str, Quantity] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """All published results that can be used, by experiment, and a sentence for each that cannot."""

    runs: dict[str, PublishedRun] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def claims(self) -> dict[str, PublishedClaim]:
        """Return the published claims by id."""
        return {id: claim for run in self.runs.values() for id, claim in run.claims.items()}


def code_part(key: dict[str, str]) -> str:
    """Return the digest of what a run key says of the science: code, configuration and inputs, but not the machine."""
    parts = {name: value for name, value in key.items() if name.startswith(("code ", "config ", "input "))}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def load(project: Project) -> Published:
    """Read what is published; nothing at all is not an error. What is wrong is told and left out."""
    folder = project.published
    if not (folder / INDEX).is_file():
        left = "" if not any(folder.glob("*.json")) else f"{_place(folder / INDEX)} is missing{SHIP_AGAIN}"
        return Published(problems=(left,) if left else ())
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        version, listed = index["format"], dict(index["experiments"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Published(problems=(f"{_place(folder / INDEX)} cannot be read ({error}){SHIP_AGAIN}",))
    if version != FORMAT:
        return Published(
            problems=(
                f"the published results have format {version!r} and this program reads {FORMAT}; "
                "take program and results from one commit",
            )
        )
    runs: dict[str, PublishedRun] = {}
    problems = []
    for id, digest in sorted(listed.items()):
        try:
            runs[id] = _record(folder / f"{id}.json", str(digest))
        except ReportError as error:
            problems.append(str(error))
    return Published(runs, tuple(problems))


def _record(path: Path, digest: str) -> PublishedRun:
    try:
        text = path.read_text("utf-8")
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise ReportError(f"{_place(path)} is not as it was published{SHIP_AGAIN}")
        found: PublishedRun = codec.record_from_json(text, PublishedRun)
    except FileNotFoundError:
        raise ReportError(f"{_place(path)} is missing{SHIP_AGAIN}") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ReportError(f"{_place(path)} cannot be read ({error}){SHIP_AGAIN}") from error
    return found


def unpacked(project: Project, id: str, published: PublishedRun) -> Path:
    """Return the folder of the store that holds a published result, unpacked once below `build/published/`."""
    folder = project.unpacked / id / published.result[:12]
    if is_complete(folder) and not damage(folder):
        return folder
    archive = project.published / f"{id}.zip"
    try:
        if sha256(archive) != published.archive:
            raise ReportError(f"{_place(archive)} is not as it was published{SHIP_AGAIN}")
        members = dict(_members(archive))
    except FileNotFoundError:
        raise ReportError(f"{_place(archive)} is missing{SHIP_AGAIN}") from None
    except (
        OSError,
        zipfile.BadZipFile,
        LookupError,
        EOFError,
        RuntimeError,
        ValueError,
        LZMAError,
        zlib.error,
    ) as error:
        raise ReportError(f"{_place(archive)} cannot be unpacked ({error}){SHIP_AGAIN}") from error

    def fill(temporary: Path) -> None:
        for name, content in members.items():
            (temporary / name).write_bytes(content)

    write_entry(folder, fill)
    return folder


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(archive) as packed:
        if sum(packed.getinfo(name).file_size for name in MEMBERS) > LARGEST:
            raise ReportError(f"{_place(archive)} would unpack to more than {LARGEST >> 20} MB; it was not made here")
        for name in MEMBERS:
            yield name, packed.read(name)


def publish(
    project: Project, id: str, folder: Path, run: RunRecord, claims: list[ClaimRecord], numbers: dict[str, Quantity]
) -> str:
    """Write the record and the archive of one stored result; return the digest of the record.

    `folder` is the entry of the store, `numbers` go by "<field>[.<name>]". An archive of the same result stays.
    """
    result, key = result_digest(folder), json.loads((folder / "key.json").read_text("utf-8"))
    archive = project.published / f"{id}.zip"
    before = _kept(project.published / f"{id}.json")
    same = before and before.result == result and before.run.key == run.key and archive.is_file()
    if same and before and sha256(archive) == before.archive:
        run = before.run  # wall times differ from run to run and say nothing new
    else:
        write_file(archive, _packed(folder))
    record = PublishedRun(
        run=run,
        code=code_part(key),
        result=result,
        archive=sha256(archive),
        claims={claim.id: PublishedClaim(claim.of_this_run, claim.statistic) for claim in claims},
        numbers=numbers,
    )
    text = codec.record_to_json(record)
    write_file(project.published / f"{id}.json", text)
    return hashlib.sha256(text.encode()).hexdigest()


def write_index(project: Project, records: dict[str, str]) -> None:
    """Write the index of all published records, and remove the files of experiments that it does not name."""
    write_file(
        project.published / INDEX, codec.to_json({"format": FORMAT, "experiments": dict(sorted(records.items()))})
    )
    for path in (*project.published.glob("*.json"), *project.published.glob("*.zip")):
        if path.stem not in records and path.name not in (INDEX, HISTORY):
            path.unlink()


def _kept(path: Path) -> PublishedRun | None:
    try:
        found: PublishedRun = codec.record_from_json(path.read_text("utf-8"), PublishedRun)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return found


def _packed(folder: Path) -> bytes:
    """Return the archive of a stored result; equal results give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name in MEMBERS:
            content = _short_key(folder) if name == "key.json" else (folder / name).read_bytes()
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_LZMA)
    return buffer.getvalue()


def _short_key(folder: Path) -> bytes:
    """Return the parts of the key with short digests of the code: enough to tell which function changed."""
    key: dict[str, Any] = json.loads((folder / "key.json").read_text("utf-8"))
    return codec.to_json({name: _short(name, value) for name, value in key.items()}).encode()


def _short(name: str, value: str) -> str:
    return value[:8] if name.startswith("code ") else value


def _place(path: Path) -> str:
    return f"experiments/published/{path.name}"
