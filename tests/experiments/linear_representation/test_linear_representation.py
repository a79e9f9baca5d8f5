"""The part's experiments: what they fix beforehand, verdicts at their thresholds, and a run on a given file."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity
from experiments.linear_representation import code_analogies, nonlinear_code, read_out, selection, word_analogies
from experiments.linear_representation.shared.analogy_results import (
    OffsetResult,
    offset_beats_baselines,
    offset_is_nearest,
    offset_test,
    offsets_are_parallel,
)
from experiments.linear_representation.shared.word_vectors import Vectors, unit


@pytest.mark.parametrize("relations", [code_analogies.RELATIONS, word_analogies.RELATIONS], ids=["code", "words"])
def test_at_least_sixty_distinct_pairs_in_several_families_are_fixed(relations):
    pairs = [pair for family in relations.values() for pair in family]
    assert len(pairs) >= 60
    assert len(set(pairs)) == len(pairs)
    assert len(relations) >= 6
    assert min(map(len, relations.values())) >= 8
    assert all(a != b for a, b in pairs)


def numbers_of(found: dict[str, tuple[float, float, float]]) -> OffsetResult:
    """Return an offset test of one embedding whose numbers are value, low and high."""
    words = tuple(f"{kind}{k}" for k in range(4) for kind in "ab") + tuple(f"x{k}" for k in range(20))
    vectors = Vectors(words, unit(np.random.default_rng(0).standard_normal((len(words), 8))))
    relations = {"one": tuple((f"a{k}", f"b{k}") for k in range(4))}
    result = offset_test(relations, {"made": [vectors]}, "", "", {}, 0)
    numbers = {f"made_{name}": Quantity(value, low, high) for name, (value, low, high) in found.items()}
    return replace(result, numbers=result.numbers | numbers)


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [((0.1, 0.01, 0.2), "supported"), ((0.0, -0.1, 0.01), "refuted"), ((0.1, -0.1, 0.3), "mixed")],
)
def test_the_offset_must_beat_its_best_baseline(gain, verdict):
    assert offset_beats_baselines(numbers_of({"gain": gain})) == Verdict(verdict)


@pytest.mark.parametrize(
    ("share", "verdict"), [((0.6, 0.55, 0.7), "supported"), ((0.1, 0.0, 0.2), "refuted"), ((0.4, 0.2, 0.6), "mixed")]
)
def test_the_fourth_word_must_be_nearest_in_most_questions(share, verdict):
    assert offset_is_nearest(numbers_of({"included": share}))[1] == Verdict(verdict)


@pytest.mark.parametrize(
    ("gain", "cosine", "verdict"),
    [((0.3, 0.2, 0.4), 0.6, "supported"), ((0.3, 0.2, 0.4), 0.2, "mixed"), ((0.3, -0.1, 0.4), 0.6, "refuted")],
)
def test_offsets_must_be_more_parallel_than_by_exchange_and_strongly_so(gain, cosine, verdict):
    result = numbers_of({"parallel_gain": gain, "parallel": (cosine, cosine, cosine)})
    assert offsets_are_parallel(result)[1] == Verdict(verdict)


def test_thresholds_of_read_outs_are_inclusive_of_nothing_between():
    assert read_out._between(Quantity(0.95, 0.91, 0.99), 0.5, 0.9) is Verdict.SUPPORTED
    assert read_out._between(Quantity(0.4, 0.3, 0.49), 0.5, 0.9) is Verdict.REFUTED
    assert read_out._between(Quantity(0.9, 0.89, 0.95), 0.5, 0.9) is Verdict.MIXED
    assert selection._below(Quantity(0.05, 0.01, 0.09), 0.1, 0.25) is Verdict.SUPPORTED
    assert selection._below(Quantity(0.3, 0.26, 0.4), 0.1, 0.25) is Verdict.REFUTED


def test_a_gate_that_never_comes_near_counts_as_needing_more_than_was_tried():
    config = selection.Config(labelled=(16, 64))
    errors = np.array([[0.3, 0.11], [0.3, 0.3], [0.1, 0.3]])
    assert selection._needed(config, errors, 0.1).tolist() == [64, 256, 16]


def test_the_non_linear_code_refutes_that_every_code_is_linear():
    result = nonlinear_code.run(nonlinear_code.experiment.quick, "cpu")
    assert nonlinear_code.decide_code(result).verdict is Verdict.SUPPORTED
    assert nonlinear_code.decide_readable(result).verdict is Verdict.REFUTED


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
    assert result.numbers["bad"].value == 1
    assert result.numbers["missing"].value == 0, "France with a capital letter is found, too"
    assert result.source == "made.txt"
    assert word_analogies.decide_queen(result).verdict is Verdict.SUPPORTED
    assert word_analogies.decide_beats(result).verdict is Verdict.SUPPORTED
    assert word_analogies.decide_nearest(result).verdict is Verdict.SUPPORTED


def test_words_without_a_common_direction_are_not_found(tmp_path, monkeypatch):
    monkeypatch.setattr(word_analogies, "FILE", vectors_file(tmp_path / "made.txt", 0.0))
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert word_analogies.decide_beats(result).verdict is not Verdict.SUPPORTED


def test_a_file_without_king_leaves_the_question_open(tmp_path, monkeypatch):
    path = vectors_file(tmp_path / "made.txt", 1.0)
    path.write_text(path.read_text("utf-8").replace("king ", "kling "), "utf-8")
    monkeypatch.setattr(word_analogies, "FILE", path)
    result = word_analogies.run(word_analogies.experiment.quick, "cpu")
    assert word_analogies.decide_queen(result).verdict is Verdict.INCONCLUSIVE


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
