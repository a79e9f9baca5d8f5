"""The corpus of the standard library."""

import keyword
import lzma
import re
import sys
import sysconfig
import tokenize
from pathlib import Path

import pytest

from experiments.linear_representation.shared.source_corpus import (
    CUT,
    LEFT_OUT,
    corpus_of,
    pieces,
    source_files,
    standard_library,
    words_of,
    write_cut,
)


def test_identifiers_are_split_at_underscores_and_changes_of_case():
    assert pieces("readHTTPHeader_fast2") == ["read", "http", "header", "fast"]
    assert pieces("__init__") == ["init"]
    assert pieces("x") == []


def test_comments_and_plain_strings_are_left_out_and_docstrings_kept():
    source = (
        'def get_name(self):\n    r"""Return \\"it\\"."""\n    # no comment\n    return f(\'text "here"\', "more")\n'
    )
    assert words_of(source) == ["def", "get", "name", "self", "return", "it", "return"]


def test_words_of_code_are_those_of_pythons_own_tokenizer(tmp_path: Path):
    path = Path(re.__file__)
    with path.open("rb") as stream:
        names = [token.string for token in tokenize.tokenize(stream.readline) if token.type == tokenize.NAME]
    found = words_of(re.sub(r'"""(?:[^\\]|\\.)*?"""', '""', path.read_text("utf-8"), flags=re.DOTALL))
    expected = [word for name in names if name not in ("r", "f", "b") for word in pieces(name)]
    assert found == expected
    assert any(keyword.iskeyword(word) for word in found)


def test_tokens_starts_and_counts_describe_the_files():
    corpus = corpus_of(["one two", "two two"])
    assert corpus.words == ("two", "one")
    assert corpus.counts.tolist() == [3, 1]
    assert [corpus.words[token] for token in corpus.tokens] == ["one", "two", "two", "two"]
    assert corpus.starts.tolist() == [0, 2, 4]
    assert corpus.files == 2


def test_the_digest_sees_a_changed_word_and_where_a_file_ends():
    assert len({corpus_of(files).digest for files in (["one two"], ["one", "two"], ["one to"])}) == 3


def test_the_words_of_a_library_are_kept_file_by_file(tmp_path: Path):
    (tmp_path / "b.py").write_text("two = two", "utf-8")
    (tmp_path / "a.py").write_text("one = twoThree  # four", "utf-8")
    write_cut(tmp_path, tmp_path / "cut.xz")
    assert lzma.decompress((tmp_path / "cut.xz").read_bytes()).decode() == "one two three\ntwo two\n"


def test_tests_and_installed_packages_are_not_read(tmp_path: Path):
    for folder in LEFT_OUT:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("x", "utf-8")
    assert list(source_files(tmp_path)) == []


def test_the_library_is_the_same_on_every_machine():
    corpus = standard_library()
    assert (corpus.files, len(corpus.tokens)) == (512, 702_960)
    assert corpus.digest == "fbbc2858f8bccd0de45f9e9bb46e81581ea3979887f4d61797026c5ca4e708e6"
    assert {"self", "return", "def"} < set(corpus.words[:40])


@pytest.mark.skipif(sys.version_info[:3] != (3, 11, 7), reason="the words were taken from CPython 3.11.7")
def test_the_words_are_those_of_the_library_they_are_said_to_be_from(tmp_path: Path):
    write_cut(Path(sysconfig.get_path("stdlib")), tmp_path / "cut.xz")
    assert lzma.decompress((tmp_path / "cut.xz").read_bytes()) == lzma.decompress(CUT.read_bytes())
