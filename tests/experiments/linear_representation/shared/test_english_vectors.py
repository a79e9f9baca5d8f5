"""The vectors of English words that lie in the project, what they are asked, and one offset applied to many words."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.core.errors import ReportError
from experiments.linear_representation.shared import english_vectors as cut
from experiments.linear_representation.shared.analogies import known_pairs
from experiments.linear_representation.shared.english_pairs import RELATIONS
from experiments.linear_representation.shared.one_offset import apply_offset
from experiments.linear_representation.shared.word_vectors import Vectors, unit


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return cut.english_vectors()


def test_the_cut_is_small_and_its_words_are_distinct_and_most_frequent_first(vectors):
    assert cut.CUT.stat().st_size < 2_000_000
    assert len(set(vectors.words)) == len(vectors.words) == cut.SIZE
    assert vectors.matrix.shape == (cut.SIZE, 50)
    assert vectors.number["the"] < vectors.number["king"] < vectors.number["queen"] < vectors.number["niece"]
    np.testing.assert_allclose(np.linalg.norm(vectors.matrix, axis=1), 1, rtol=1e-6)


def test_the_first_vector_is_the_published_one():
    with np.load(cut.CUT) as archive:
        the = archive["vectors"][0]
    np.testing.assert_allclose(the[:5], [0.418, 0.24968, -0.41242, 0.1217, 0.34527], atol=3e-4)


def test_source_and_licence_of_the_cut_stand_beside_it():
    about = json.loads(cut.CUT.with_suffix(".json").read_text("utf-8"))
    assert "Public Domain Dedication and License" in about["licence"]
    assert all(len(about[name]) == 64 for name in about if name.startswith("sha256"))


def test_every_family_has_twenty_pairs_whose_words_have_vectors(vectors):
    known = known_pairs(RELATIONS, vectors)
    assert known.keys() == RELATIONS.keys()
    assert min(map(len, known.values())) >= 20
    pairs = [pair for family in RELATIONS.values() for pair in family]
    assert all(len(set(family)) == len(family) for family in RELATIONS.values())
    assert all(a != b for a, b in pairs)


def test_fewer_candidates_keep_the_words_of_the_questions(vectors):
    few = cut.most_frequent(vectors, 100, frozenset({"niece"}))
    assert few.words == (*vectors.words[:100], "niece")
    np.testing.assert_array_equal(few.matrix[-1], vectors.matrix[vectors.number["niece"]])


def made_wheel(path: Path, words: list[str], rows: np.ndarray, monkeypatch) -> Path:
    """Write a wheel as the published one is, and let pyarrow, which is not installed here, read its words."""
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(cut.TABLE, "w") as member:
            np.save(member, rows.astype(np.float32))
        archive.writestr(cut.INDEX, "\n".join(words))

    def read_table(stream):
        return {"index": SimpleNamespace(to_pylist=lambda: stream.read().decode().split("\n"))}

    monkeypatch.setattr(cut.importlib, "import_module", lambda name: SimpleNamespace(read_table=read_table))
    return path


def test_a_cut_holds_the_first_words_and_rounds_their_vectors(tmp_path, monkeypatch):
    rows = np.random.default_rng(0).standard_normal((5, 4))
    wheel = made_wheel(tmp_path / "made.whl", ["the", "Ünsal", "a", "b", "c"], rows, monkeypatch)
    cut.make_cut(wheel, tmp_path / "cut.npz", 3)
    monkeypatch.setattr(cut, "CUT", tmp_path / "cut.npz")
    made = cut.english_vectors()
    assert made.words == ("the", "Ünsal", "a")
    np.testing.assert_allclose(made.matrix, unit(rows[:3]), atol=1e-3)


def test_a_wheel_with_too_few_words_is_refused(tmp_path, monkeypatch):
    wheel = made_wheel(tmp_path / "made.whl", ["the"], np.ones((1, 4)), monkeypatch)
    with pytest.raises(ReportError, match="not 3 words"):
        cut.make_cut(wheel, tmp_path / "cut.npz", 3)


def test_an_exact_parallelogram_comes_first_and_own_words_are_barred():
    rng = np.random.default_rng(1)
    move, c, e = rng.standard_normal((3, 30))
    matrix = unit([c, c + move, e, e + move, *rng.standard_normal((20, 30))])
    found = apply_offset(
        Vectors(("a", "b", "c", "d", *"efghijklmnopqrstuvwx"), matrix), ("a", "b"), (("a", "b"), ("c", "d"))
    )
    assert (found.words, found.expected) == (("c",), ("d",)), "the pair that makes the offset is not asked"
    assert (found.first, found.rank.tolist()) == (("d",), [1])


def test_the_rank_counts_only_words_that_may_be_answers():
    matrix = unit(np.array([[1.0, 0, 0], [1, 0.01, 0], [0, 1, 0], [0.02, 1, 0], [0, 0.5, 0.5]]))
    found = apply_offset(Vectors(("a", "b", "c", "x", "d"), matrix), ("a", "b"), (("c", "d"),))
    assert found.unbarred == ("c",)
    assert (found.first, found.rank.tolist()) == (("x",), [2]), "c itself is nearer and barred"
