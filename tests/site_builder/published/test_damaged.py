"""Whatever lies in the folder of published results, it is read or is one sentence."""

import hashlib
import json

import pytest

from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.published import reseeded
from site_builder.published.results import INDEX, load, unpacked

CONTENTS = [
    b"", b"[]", b"{}", b"null", b"3", b'"x"', b"[" * 100_000, b"\xff\xfe\x00", b'{"format": 1}', b'{"format": 99}',
    b'{"format": 1, "experiments": 3}', b'{"format": 1, "experiments": {"../../x": "y"}}', b"PK\x03\x04",
    b'{"format": 1, "code": 3, "runs": 4}', b'{"format": 1, "code": "x", "runs": [{}]}', b'{"run": {}, "claims": []}',
]  # fmt: skip


@pytest.fixture
def project(tmp_path):
    """A report with one published result, named in the index with the digest it has."""
    found = Project(tmp_path)
    found.reseeded.mkdir(parents=True)
    return found


def indexed(project, record: bytes) -> None:
    listed = {"a.b": hashlib.sha256(record).hexdigest()}
    (project.published / INDEX).write_text(json.dumps({"format": 1, "experiments": listed}))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("file", [INDEX, "a.b.json", "a.b.zip"])
def test_a_file_of_any_content_is_told_or_left_alone(project, file, content):
    indexed(project, content)
    (project.published / file).write_bytes(content)
    published = load(project)
    assert published.runs == {}
    assert all("\n" not in sentence for sentence in published.problems)
    assert published.problems != () or content == b'{"format": 1, "experiments": {}}'


@pytest.mark.parametrize("content", CONTENTS)
def test_further_runs_of_any_content_are_told(project, content):
    (project.reseeded / "a.b.json").write_bytes(content)
    found, problems = reseeded.load(project)
    assert found == {}
    (sentence,) = problems
    assert "a.b.json cannot be read" in sentence


@pytest.mark.parametrize("content", CONTENTS)
def test_an_archive_of_any_content_is_told_although_its_digest_is_right(project, content):
    class Record:
        result = "0" * 64
        archive = hashlib.sha256(content).hexdigest()

    (project.published / "a.b.zip").write_bytes(content)
    with pytest.raises(ReportError, match=r"a\.b\.zip cannot be unpacked"):
        unpacked(project, "a.b", Record())
