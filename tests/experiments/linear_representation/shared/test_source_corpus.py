"""The corpus of the standard library."""

import keyword
import re
import tokenize
from pathlib import Path

import numpy as np

from experiments.linear_representation.shared.source_corpus import (
    LEFT_OUT,
    corpus_of,
    pieces,
    source_files,
    standard_library,
    words_of,
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


def test_tokens_starts_and_counts_describe_the_files(tmp_path: Path):
    (tmp_path / "a.py").write_text("one = two", "utf-8")
    (tmp_path / "b.py").write_text("two = two", "utf-8")
    corpus = corpus_of(tmp_path, sorted(source_files(tmp_path)))
    assert corpus.words == ("two", "one")
    assert corpus.counts.tolist() == [3, 1]
    assert [corpus.words[token] for token in corpus.tokens] == ["one", "two", "two", "two"]
    assert corpus.starts.tolist() == [0, 2, 4]
    assert corpus.files == 2


def test_the_digest_sees_a_changed_byte_and_a_changed_name(tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text("one", "utf-8")
    first = corpus_of(tmp_path, [path]).digest
    path.write_text("two", "utf-8")
    second = corpus_of(tmp_path, [path]).digest
    renamed = corpus_of(tmp_path, [path.rename(tmp_path / "b.py")]).digest
    assert len({first, second, renamed}) == 3


def test_tests_and_installed_packages_are_not_read(tmp_path: Path):
    for folder in LEFT_OUT:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("x", "utf-8")
    assert list(source_files(tmp_path)) == []


def test_the_library_of_this_python_is_large_and_always_the_same():
    corpus = standard_library(20)
    again = standard_library(20)
    assert corpus.digest == again.digest
    assert np.array_equal(corpus.tokens, again.tokens)
    assert {"self", "return", "def"} < set(corpus.words[:40])
