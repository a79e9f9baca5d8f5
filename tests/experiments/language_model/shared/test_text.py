"""The text, its kinds, its tokens and the n-grams."""

from collections import Counter
from itertools import pairwise

import numpy as np

from experiments.language_model.shared.byte_pairs import BYTES, PIECE, tokenized
from experiments.language_model.shared.cut_text import kinds_of
from experiments.language_model.shared.n_grams import n_gram_losses
from experiments.language_model.shared.text import KINDS, documents, planted

SOURCE = b'''"""Say."""
def f(x):
    # add
    return x + 10 if x else "no"
'''


def test_kinds_of_python_are_those_of_tokenize():
    kinds = kinds_of(SOURCE).decode()
    seen = {
        text: kinds[SOURCE.index(text)] for text in (b'"""Say', b"def", b"f(", b"(x", b"# add", b"10", b'"no"', b"+")
    }
    assert "".join(seen.values()) == "dkno" + "c0so"
    assert kinds[SOURCE.index(b"    #")] == "i"
    assert len(kinds) == len(SOURCE)


def test_every_byte_of_every_document_has_a_kind_and_no_document_is_on_both_sides():
    found = documents(0.05, 0.25, 0)
    assert len(found) == 18
    assert 0 < sum(document.held_out for document in found) < len(found)
    assert len({document.name for document in found}) == len(found)
    for document in found:
        assert len(document.text) == len(document.kinds)
        assert set(document.kinds.decode()) <= set(KINDS)
        assert (document.part == "speech") == (document.year > 0)


def test_planted_lines_leave_the_rest_as_it_was():
    text = b"a line of words\n" * 2000
    found, kinds = planted(text, b"p" * len(text), np.random.default_rng(0))
    kept = bytes(byte for byte, kind in zip(found, kinds, strict=True) if kind == ord("p"))
    assert kept == text
    spans = Counter(kinds.decode())
    assert all(spans[kind] > 60 for kind in "BHD")
    assert set(bytes(byte for byte, kind in zip(found, kinds, strict=True) if kind == ord("D"))) <= set(b"ACGT\n")


def naive_pairs(text: bytes, merges: int) -> list[bytes]:
    words = [[bytes([byte]) for byte in piece] for piece in PIECE.findall(text)]
    order = {bytes([k]): k for k in range(BYTES)}
    for _ in range(merges):
        counts = Counter(pair for word in words for pair in pairwise(word))
        a, b = min(counts, key=lambda pair: (-counts[pair], order[pair[0]], order[pair[1]]))
        order[a + b] = len(order)
        for word in words:
            k = 0
            while k < len(word) - 1:
                if word[k] == a and word[k + 1] == b:
                    word[k : k + 2] = [a + b]
                k += 1
    return list(order)[BYTES:]


def test_pairs_are_merged_as_by_counting_anew_each_time():
    text = documents(0.01, 0.25, 1)[0].text[:1500]
    found = tokenized([text], [True], BYTES + 40)
    assert list(found.vocabulary[BYTES:]) == naive_pairs(text, 40)


def test_tokens_spell_the_text_and_held_out_text_does_not_vote():
    trained, other = b"the cat sat on the mat\n" * 5, b"zyzzyva zyzzyva zyzzyva zyzzyva zyzzyva zyzzyva zyzzyva the\n"
    found = tokenized([trained, other], [True, False], BYTES + 12)
    for ids, starts, text in zip(found.ids, found.starts, (trained, other), strict=True):
        assert b"".join(found.vocabulary[k] for k in ids) == text
        assert [text[s : s + 1] for s in starts] == [found.vocabulary[k][:1] for k in ids]
    assert not any(b"zy" in entry for entry in found.vocabulary)
    assert found.ids[1].max() >= BYTES  # "the" is merged there too


def test_n_grams_are_interpolated_by_witten_and_bells_rule():
    training, text = np.array([0, 1, 0, 1, 0, 2]), np.array([0, 1, 1])
    unigram, bigram = n_gram_losses(training, [text], 4, 2)
    one = {0: (3 + 3 / 4) / 9, 1: (2 + 3 / 4) / 9, 2: (1 + 3 / 4) / 9, 3: (3 / 4) / 9}
    np.testing.assert_allclose(np.exp(-unigram[0]), [one[1], one[1]])
    after_0 = (2 + 2 * one[1]) / (3 + 2)  # seen: 1, 1, 2
    after_1 = (0 + 1 * one[1]) / (2 + 1)  # seen: 0, 0
    np.testing.assert_allclose(np.exp(-bigram[0]), [after_0, after_1])


def test_n_gram_probabilities_add_up_to_one():
    rng = np.random.default_rng(0)
    training, context = rng.integers(0, 5, 200), rng.integers(0, 5, 6)
    texts = [np.append(context, k) for k in range(5)]
    for of_order in n_gram_losses(training, texts, 5, 4):
        np.testing.assert_allclose(sum(np.exp(-loss[-1]) for loss in of_order), 1)
