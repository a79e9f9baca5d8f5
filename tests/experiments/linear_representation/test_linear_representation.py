"""The part's experiments: what they fix beforehand, verdicts at their thresholds, and a run on a given file."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from experiments.core.criteria import Criterion, Evidence, Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from experiments.linear_representation import (
    code_analogies,
    english_analogies,
    nonlinear_code,
    read_out,
    selection,
    word_analogies,
)
from experiments.linear_representation.shared.analogy_claims import BEATS, NEAREST, PARALLEL, gains, parallels
from experiments.linear_representation.shared.analogy_results import OffsetResult, nearest, offset_test
from experiments.linear_representation.shared.word_vectors import Vectors, unit


@pytest.mark.parametrize("relations", [code_analogies.RELATIONS, word_analogies.RELATIONS], ids=["code", "words"])
def test_at_least_sixty_distinct_pairs_in_several_families_are_fixed(relations):
    pairs = [pair for family in relations.values() for pair in family]
    assert len(pairs) >= 60
    assert len(set(pairs)) == len(pairs)
    assert len(relations) >= 6
    assert min(map(len, relations.values())) >= 8
    assert all(a != b for a, b in pairs)


def verdict(criterion: Criterion, measured: Evidence | Quantity) -> Verdict:
    return criterion.verdict(measured if isinstance(measured, Evidence) else Evidence(found=measured))


def claim(module, id: str, result) -> Verdict:
    """Return the verdict of a module's claim on a result."""
    spec = module.experiment.claims[id]
    return verdict(spec.criterion, spec.decide(result))


def scored(found: dict[str, tuple[float, float, float]]) -> OffsetResult:
    """Return an offset test of one embedding whose scores are value, low and high."""
    words = tuple(f"{kind}{k}" for k in range(4) for kind in "ab") + tuple(f"x{k}" for k in range(20))
    vectors = Vectors(words, unit(np.random.default_rng(0).standard_normal((len(words), 8))))
    relations = {"one": tuple((f"a{k}", f"b{k}") for k in range(4))}
    result = offset_test(relations, {"made": [vectors]}, "", "", 0)
    scores = {name: Quantity(value, low, high) for name, (value, low, high) in found.items()}
    return replace(result, overall=(replace(result.overall[0], **scores),))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [((0.1, 0.01, 0.2), "supported"), ((0.0, -0.1, 0.01), "refuted"), ((0.1, -0.1, 0.3), "mixed")],
)
def test_the_offset_must_beat_its_best_baseline(gain, expected):
    assert verdict(BEATS, gains(scored({"gain": gain}))) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [((0.6, 0.55, 0.7), "supported"), ((0.1, 0.0, 0.2), "refuted"), ((0.4, 0.2, 0.6), "mixed")]
)
def test_the_fourth_word_must_be_nearest_in_most_questions(share, expected):
    assert verdict(NEAREST, nearest(scored({"included": share}))) == expected


@pytest.mark.parametrize(
    ("gain", "cosine", "expected"),
    [((0.3, 0.2, 0.4), 0.6, "supported"), ((0.3, 0.2, 0.4), 0.2, "mixed"), ((0.3, -0.1, 0.4), 0.6, "refuted")],
)
def test_offsets_must_be_more_parallel_than_by_exchange_and_strongly_so(gain, cosine, expected):
    result = scored({"parallel_gain": gain, "parallel": (cosine, cosine, cosine)})
    assert verdict(PARALLEL, parallels(result)) == expected


@pytest.mark.parametrize(
    ("module", "id", "found", "expected"),
    [
        (read_out, "read-out-own", (0.95, 0.91, 0.99), "supported"),
        (read_out, "read-out-own", (0.4, 0.3, 0.49), "refuted"),
        (read_out, "read-out-own", (0.9, 0.89, 0.95), "mixed"),
        (read_out, "read-out-interference", (0.5, 0.4, 0.6), "mixed"),
        (selection, "selection-linear-gate", (0.05, 0.01, 0.09), "supported"),
        (selection, "selection-linear-gate", (0.3, 0.26, 0.4), "refuted"),
        (selection, "selection-samples", (1.0, 0.5, 2.0), "mixed"),
    ],
)
def test_a_whole_interval_must_lie_beyond_a_threshold(module, id, found, expected):
    assert verdict(module.experiment.claims[id].criterion, Quantity(*found)) == expected


def test_a_gate_that_never_comes_near_counts_as_needing_more_than_was_tried():
    config = selection.Config(labelled=(16, 64))
    errors = np.array([[0.3, 0.11], [0.3, 0.3], [0.1, 0.3]])
    assert selection._needed(config, errors, 0.1).tolist() == [64, 256, 16]


def test_the_non_linear_code_refutes_that_every_code_is_linear():
    result = nonlinear_code.run(nonlinear_code.experiment.quick, "cpu")
    assert claim(nonlinear_code, "nonlinear-code-beats-linear", result) is Verdict.SUPPORTED
    assert claim(nonlinear_code, "nonlinear-code-not-readable", result) is Verdict.REFUTED


def vectors_file(path: Path, offset: float) -> Path:
    """Write vectors in which every pair of the families is `offset` apart along the family's own direction."""
    rng = np.random.default_rng(0)
    rows: dict[str, np.ndarray] = {}
    for pairs in word_analogies.RELATIONS.values():
        move = rng.standard_normal(40)
        for a, b in pairs:
            rows.setdefault(a, rng.standard_normal(40))
            rows.setdefault(b, rows[a] + offset * move)
    rows |= {f"other{k}": rng.standard_normal(40) for k in range(300)}
    lines = [" ".join([word.replace("france", "France"), *(f"{x:.4f}" for x in row)]) for word, row in rows.items()]
    path.write_text("\n".join(["a bad line", *lines]) + "\n", "utf-8")
    return path


def test_a_given_file_is_asked_the_same_questions_and_queen_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(word_analogies, "FILE", vectors_file(tmp_path / "made.txt", 3.0))
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert result.nearest[0] == "queen"
    assert result.counts.bad.value == 1
    assert result.counts.missing.value == 0, "France with a capital letter is found, too"
    assert result.source == "made.txt"
    assert claim(word_analogies, "word-offset-queen", result) is Verdict.SUPPORTED
    assert claim(word_analogies, "word-offset-beats-baselines", result) is Verdict.SUPPORTED
    assert claim(word_analogies, "word-offset-nearest", result) is Verdict.SUPPORTED


def test_words_without_a_common_direction_are_not_found(tmp_path, monkeypatch):
    monkeypatch.setattr(word_analogies, "FILE", vectors_file(tmp_path / "made.txt", 0.0))
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert claim(word_analogies, "word-offset-beats-baselines", result) is not Verdict.SUPPORTED


def test_a_file_without_king_leaves_the_question_open(tmp_path, monkeypatch):
    path = vectors_file(tmp_path / "made.txt", 1.0)
    path.write_text(path.read_text("utf-8").replace("king ", "kling "), "utf-8")
    monkeypatch.setattr(word_analogies, "FILE", path)
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert claim(word_analogies, "word-offset-queen", result) is Verdict.INCONCLUSIVE


def test_without_a_file_the_experiment_is_dormant_and_with_one_its_digest_is_an_input(tmp_path, monkeypatch):
    monkeypatch.delenv("WORD_VECTORS", raising=False)
    assert importlib.reload(word_analogies).experiment.dormant
    path = vectors_file(tmp_path / "made.txt", 1.0)
    monkeypatch.setenv("WORD_VECTORS", str(path))
    try:
        given = importlib.reload(word_analogies).experiment
        assert (given.dormant, given.inputs) == ("", (path,))
    finally:
        monkeypatch.delenv("WORD_VECTORS")
        importlib.reload(word_analogies)


@pytest.fixture(scope="module")
def english():
    return english_analogies.run(english_analogies.experiment.quick, "cpu")


def test_in_english_king_is_nearest_and_queen_only_once_the_question_is_barred(english):
    assert english.nearest[0] == "king"
    assert (english.numbers.king_rank.value, english.numbers.queen_rank.value) == (1, 1)
    assert claim(english_analogies, "english-offset-queen", english) is Verdict.MIXED


def test_in_english_uncle_leads_to_another_relative_than_aunt(english):
    asked = english.woman.words.index("uncle")
    assert english.woman.first[asked] == "daughter"
    assert english.numbers.aunt_rank.value == english.woman.rank[asked] > 1


def test_english_scores_by_name_are_those_of_their_families(english):
    by_name = [score for _, score in sorted(vars(english.of).items())]
    assert sorted(s.offset.value for s in by_name) == sorted(s.offset.value for s in english.by_family[0])
    plural = english.families.index("singular, plural")
    assert english.of.plural == english.by_family[0][plural]


def test_fewer_candidate_words_never_make_an_english_question_harder(english):
    assert (np.diff(english.right_by_size, axis=0) <= 0).all()
    assert english.numbers.lost.value > 0


@pytest.mark.parametrize("form", [str.capitalize, str.upper])
def test_capitalised_words_are_found(tmp_path, monkeypatch, form):
    path = vectors_file(tmp_path / "made.txt", 3.0)
    lines = [line.partition(" ") for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(form(word) + gap + rest for word, gap, rest in lines), "utf-8")
    monkeypatch.setattr(word_analogies, "FILE", path)
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert result.counts.missing.value == 0
    assert claim(word_analogies, "word-offset-queen", result) is Verdict.SUPPORTED


def test_words_of_no_relation_are_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "french.txt"
    path.write_text("".join(f"mot{k} {k + 1} 2 3\n" for k in range(20)), "utf-8")
    monkeypatch.setattr(word_analogies, "FILE", path)
    with pytest.raises(ReportError, match=r"lack \d+ of \d+ words asked for \(man, woman, .*give vectors of English"):
        word_analogies.run(word_analogies.experiment.quick, "cpu")


@pytest.mark.parametrize("queen", ["queen", "$queen$", "\\frac{", "女王", "_queen", "<!--"])
@pytest.mark.parametrize("king", ["king", "kling"])
def test_the_figure_of_the_nearest_words_is_drawn_whatever_they_are(tmp_path, monkeypatch, recwarn, king, queen):
    path = vectors_file(tmp_path / "made.txt", 3.0)
    changed = path.read_text("utf-8").replace("other1 ", f"{queen} ").replace("king ", f"{king} ")
    path.write_text(changed, "utf-8")
    monkeypatch.setattr(word_analogies, "FILE", path)
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    FigureCanvasAgg(word_analogies.draw_queen(replace(result, nearest=tuple(queen for _ in result.nearest)))).draw()
    assert len(recwarn) == 0
