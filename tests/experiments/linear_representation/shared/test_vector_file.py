"""Files of word vectors, good and bad."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from experiments.core.errors import ReportError
from experiments.core.given_files import given_file
from experiments.linear_representation.shared.vector_file import read_vectors

GLOVE = "the 1 0 0\nof 0 2 0\nking 3 4 0\nqueen 0 0 5\n"


def write(tmp_path: Path, text: str | bytes, name: str = "vectors.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        GLOVE, "4 3\n" + GLOVE, GLOVE.replace("\n", " \r\n"), "\ufeff" + GLOVE, "\ufeff4 3\n" + GLOVE,
        GLOVE.replace(" ", "\t"), GLOVE.replace("g ", "g\t"), GLOVE.replace(" ", "  "),
    ],
    ids=["glove", "word2vec", "dos", "mark", "mark and header", "tabs", "one tab", "wide"],
)  # fmt: skip
def test_both_text_formats_are_read(tmp_path, text):
    found = read_vectors(write(tmp_path, text), 10)
    assert found.vectors.words == ("the", "of", "king", "queen")
    assert np.allclose(found.vectors.matrix[2], [0.6, 0.8, 0])
    assert (found.lines, found.bad) == (4, 0)


def test_a_gzipped_file_is_read_whatever_its_name(tmp_path):
    found = read_vectors(write(tmp_path, gzip.compress(GLOVE.encode()), "vectors.data"), 10)
    assert len(found.vectors.words) == 4


def test_only_the_first_words_and_those_wanted_are_kept(tmp_path):
    found = read_vectors(write(tmp_path, GLOVE), 1, frozenset({"queen"}))
    assert found.vectors.words == ("the", "queen")


def test_reading_stops_when_nothing_more_is_wanted(tmp_path):
    assert read_vectors(write(tmp_path, GLOVE), 2).lines == 2


BAD_LINES = {
    "too few numbers": b"short 1 2",
    "too many numbers": b"word 1 2 3 -4.5",
    "no word": b"1 2 3",
    "no number": b"word 1 2 x",
    "not finite": b"word 1 nan 2",
    "beyond float32": b"word 1 1e300 2",
    "all zero": b"word 0 0 0",
    "a second time": b"the 1 1 1",
    "no utf-8": b"\xff\xfe 1 2 3",
    "empty": b"",
    "far too long": b"word" + b" 1" * 200_000,
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_counted_and_left_out(tmp_path, line):
    found = read_vectors(write(tmp_path, b"the 1 0 0\n" + line + b"\nof 0 1 0\n"), 10)
    assert found.vectors.words == ("the", "of")
    assert (found.lines, found.bad) == (3, 1)


def test_a_word_may_hold_spaces(tmp_path):
    assert read_vectors(write(tmp_path, "the 1 0 0\n. . . 1 2 3\n"), 10).vectors.words == ("the", ". . .")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01" * 5000, gzip.compress(GLOVE.encode() * 400)[:-30]], ids=["empty", "binary", "cut off"]
)
def test_a_file_without_vectors_is_refused_in_one_sentence(tmp_path, content):
    with pytest.raises(ReportError, match=r"vectors\.txt"):
        read_vectors(write(tmp_path, content), 10**6)


def test_a_given_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("WORD_VECTORS", str(tmp_path / "nope.txt"))
    with pytest.raises(ReportError, match=r"WORD_VECTORS names .*nope\.txt"):
        given_file("WORD_VECTORS")


def test_no_file_need_be_given(monkeypatch):
    monkeypatch.delenv("WORD_VECTORS", raising=False)
    assert given_file("WORD_VECTORS") is None
