"""The digest of a stored result is that of its values."""

import zipfile

import numpy as np

from site_builder.results.runs import result_digest
from site_builder.store.codec import npz_bytes


def stored(folder, arrays, text="{}"):
    folder.mkdir()
    (folder / "result.json").write_text(text, "utf-8")
    (folder / "result.npz").write_bytes(npz_bytes(arrays))
    return folder


def test_the_digest_of_a_result_is_that_of_its_values_whatever_archive_holds_them(tmp_path):
    arrays = {"a": np.arange(3.0), "b": np.ones((2, 2), np.float32)}
    plain = stored(tmp_path / "plain", arrays)
    packed = stored(tmp_path / "packed", arrays)
    with zipfile.ZipFile(plain / "result.npz") as before:
        members = {name: before.read(name) for name in before.namelist()}
    with zipfile.ZipFile(packed / "result.npz", "w", zipfile.ZIP_DEFLATED) as after:
        for name in reversed(members):
            after.writestr(name, members[name])
    assert (packed / "result.npz").read_bytes() != (plain / "result.npz").read_bytes()
    assert result_digest(packed) == result_digest(plain)


def test_another_number_name_or_structure_is_another_digest(tmp_path):
    different = [
        stored(tmp_path / "first", {"a": np.arange(3.0)}),
        stored(tmp_path / "number", {"a": np.arange(3.0) + np.array([0, 0, 1e-15])}),
        stored(tmp_path / "name", {"b": np.arange(3.0)}),
        stored(tmp_path / "structure", {"a": np.arange(3.0)}, '{"x": 1}'),
    ]
    assert len({result_digest(folder) for folder in different}) == len(different)
