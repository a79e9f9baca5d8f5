"""Entries are complete or absent, whatever happens to the process that writes them."""

import errno
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.store import entries as store


def fill_with(text: str):
    return lambda folder: (folder / "data.txt").write_text(text)


def test_an_entry_is_complete_and_sound_after_writing(tmp_path):
    store.write_entry(tmp_path / "a" / "key", fill_with("1"))
    assert store.is_complete(tmp_path / "a" / "key")
    assert store.damage(tmp_path / "a" / "key") == ""
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["key"]


@pytest.mark.parametrize("position", [0, 3, 7])
def test_a_single_flipped_bit_is_damage(tmp_path, position):
    store.write_entry(tmp_path / "key", fill_with("12345678"))
    file = tmp_path / "key" / "data.txt"
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)
    assert store.damage(tmp_path / "key") == "data.txt"


def test_a_sound_entry_is_kept_and_a_damaged_one_replaced(tmp_path):
    store.write_entry(tmp_path / "key", fill_with("first"))
    store.write_entry(tmp_path / "key", fill_with("second"))
    assert (tmp_path / "key" / "data.txt").read_text() == "first"
    (tmp_path / "key" / "data.txt").write_text("spoilt")
    store.write_entry(tmp_path / "key", fill_with("third"))
    assert (tmp_path / "key" / "data.txt").read_text() == "third"
    assert store.damage(tmp_path / "key") == ""


def test_a_failing_writer_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "data.txt").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write_entry(tmp_path / "key", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_killed_without_warning_leaves_no_entry_and_its_remains_are_cleared(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from site_builder.store.entries import write_entry\n"
        "def fill(folder):\n"
        "    (folder / 'data.txt').write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "write_entry(Path(sys.argv[1]), fill)\n"
    )
    folder = tmp_path / "results" / "key"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        assert store.clear_unfinished(tmp_path) == 0, "a living process keeps what it writes"
        process.send_signal(signal.SIGKILL)
    assert not store.is_complete(folder)
    assert store.clear_unfinished(tmp_path) == 1
    assert list(folder.parent.iterdir()) == []


def test_a_name_is_taken_only_after_everything_is_on_the_disk(tmp_path, monkeypatch):
    steps: list[str] = []
    sync, rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("sync"), sync(descriptor))[1])
    monkeypatch.setattr(Path, "rename", lambda path, to: (steps.append("rename"), rename(path, to))[1])
    store.write_entry(tmp_path / "key", fill_with("1"))
    assert steps == ["sync", "sync", "sync", "rename"]


def test_writers_of_one_entry_at_the_same_time_all_succeed(tmp_path):
    start = threading.Barrier(8)

    def write(text: str) -> None:
        start.wait()
        store.write_entry(tmp_path / "key", fill_with(text))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, "abcdefgh"))
    assert store.damage(tmp_path / "key") == ""
    assert (tmp_path / "key" / "data.txt").read_text() in "abcdefgh"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only"), (errno.EACCES, "not allowed")],
)
def test_a_full_or_closed_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path, monkeypatch, code, reason):
    def refuse(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ReportError, match=reason) as caught:
        store.write_entry(tmp_path / "key", fill_with("1"))
    assert str(tmp_path / "key") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("method", ["write_bytes", "mkdir"])
def test_the_name_of_a_temporary_file_is_not_what_a_sentence_names(tmp_path, monkeypatch, method):
    known = getattr(Path, method)

    def refuse(path, *arguments, **options):
        if path.name.startswith(store._TEMPORARY):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return known(path, *arguments, **options)

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(ReportError) as caught:
        store.write_file(tmp_path / "kept", "1") if method == "write_bytes" else store.write_entry(
            tmp_path / "kept", fill_with("1")
        )
    assert str(caught.value).startswith(f"{tmp_path / 'kept'}: the disk is read-only")


OBSTACLES = {
    "file": lambda path: path.write_text("in the way"),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("place", ["results", "results/waves", "results/waves/key"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_stands_where_a_folder_of_the_store_belongs_gives_way(tmp_path, place, obstacle):
    entry = tmp_path / "results" / "waves" / "key"
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    OBSTACLES[obstacle](tmp_path / place)
    store.write_entry(entry, fill_with("1"))
    assert store.damage(entry) == ""
    assert not list(tmp_path.rglob(".unfinished-*"))


@pytest.mark.parametrize("obstacle", [*OBSTACLES, "folder"])
def test_what_stands_where_a_file_belongs_gives_way(tmp_path, obstacle):
    file = tmp_path / "stamp.json"
    if obstacle == "folder":
        (file / "inner").mkdir(parents=True)
    else:
        OBSTACLES[obstacle](file)
    store.write_stamp(file, {"a": 1})
    assert store.read_stamp(file) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["stamp.json"]


@pytest.mark.parametrize("obstacle", ["dangling link", "link to itself", "folder"])
def test_a_lock_is_taken_whatever_stands_in_its_place(tmp_path, obstacle):
    lock = tmp_path / ".site.lock"
    lock.mkdir() if obstacle == "folder" else OBSTACLES[obstacle](lock)
    with store.locked(lock, lambda: None):
        assert lock.is_file()


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{", '{"sha256": "0", "content": "1"}', "[" * 100_000, "\0"])
def test_a_stamp_that_is_not_as_it_was_written_holds_nothing(tmp_path, text):
    (tmp_path / "stamp.json").write_text(text)
    assert store.read_stamp(tmp_path / "stamp.json") is None


def test_a_changed_digit_in_a_stamp_is_noticed(tmp_path):
    stamp = tmp_path / "stamp.json"
    store.write_stamp(stamp, {"value": 0.25})
    stamp.write_text(stamp.read_text().replace("0.25", "0.35"))
    assert store.read_stamp(stamp) is None


@pytest.mark.parametrize("marker", ['{"files": {}}', '{"files": []}', '{"files": {"file": 3}}', "[]", "[" * 100_000])
def test_a_marker_of_another_shape_vouches_for_nothing(tmp_path, marker):
    store.write_entry(tmp_path / "key", fill_with("1"))
    (tmp_path / "key" / store.MARKER).write_text(marker)
    assert store.damage(tmp_path / "key") != ""


def test_a_swapped_folder_holds_only_the_new_files(tmp_path):
    for name, file in (("site", "old.html"), ("new", "new.html")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    store.swap(tmp_path / "new", tmp_path / "site")
    assert [path.name for path in tmp_path.rglob("*")] == ["site", "new.html"]


def test_a_lock_that_is_taken_is_said_once_and_waited_for(tmp_path):
    waited: list[str] = []
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with store.locked(tmp_path / "lock", lambda: waited.append("first")):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    threading.Timer(0.05, leave.set).start()
    with store.locked(tmp_path / "lock", lambda: waited.append("second")):
        assert leave.is_set()
    holder.join()
    assert waited == ["second"]
