"""The browser's data comes back from the store as it went in, and what no page could show is refused at once."""

import dataclasses

import numpy as np
import pytest

from experiments.language_model.shared.browser import (
    NOTHING,
    FeatureBrowser,
    LogitEffects,
    Match,
    Relatives,
    Snippets,
)
from site_builder.store.codec import decode, encode, npz_bytes

VOCABULARY = ("def", " <script>", "\n", "\\xe2\\x80", "&amp;")


def _relatives(latents: int, of: int) -> Relatives:
    ids = np.array([[0, NOTHING]] * latents, dtype=np.int16)
    return Relatives(f"{of} latents", "share of events", ("name",) * of, ids, np.where(ids < 0, 0.0, 0.5))


@pytest.fixture
def browser() -> FeatureBrowser:
    tokens = np.array([[[0, 1, 2], [NOTHING] * 3], [[NOTHING, 3, 4], [1, 1, 1]]], dtype=np.int16)
    return FeatureBrowser(
        dictionary="8 latents",
        text="held-out text",
        vocabulary=VOCABULARY,
        labels=("comment",),
        documents=("a.py",),
        kinds_of_document=("code",),
        tokens_seen=1000,
        latents=np.array([3, 5]),
        density=np.array([0.1, 0.01]),
        largest=np.array([2.0, 1.0]),
        edges=np.array([0.1, 1.0, 10.0]),
        histogram=np.array([[90, 10], [10, 0]]),
        snippets=Snippets(
            kinds=("strongest", "middle"),
            tokens=tokens,
            activations=np.where(tokens < 0, 0, 0.5).astype(np.float16),
            peak=np.array([[1, NOTHING], [1, 0]]),
            document=np.array([[0, NOTHING], [0, 0]]),
            place=np.array([[10, NOTHING], [0, 5]]),
        ),
        match=Match(np.array([0, NOTHING]), np.array([1, 2]), *[np.array([0.5, np.nan])] * 3, np.array([0.2, 0.3])),
        logits=LogitEffects(*[np.array([[0], [1]]), np.array([[1.0], [2.0]])] * 2),
        parents=_relatives(2, 4),
        children=_relatives(2, 16),
        neighbours=_relatives(2, 8),
    )


def test_the_store_gives_back_what_went_in(browser):
    arrays = {}
    data = encode(browser, FeatureBrowser, "Result.browser", arrays)
    again = decode(data, FeatureBrowser, arrays)
    assert again.vocabulary == VOCABULARY
    np.testing.assert_array_equal(again.snippets.tokens, browser.snippets.tokens)
    assert npz_bytes(arrays), "every array can be stored without pickles"


def test_only_scores_may_be_undefined(browser):
    broken = dataclasses.replace(browser, density=np.array([0.1, np.nan]))
    with pytest.raises(Exception, match="density holds NaN"):
        encode(broken, FeatureBrowser, "Result.browser", {})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"density": np.zeros(3)}, r"density has shape \(3,\) and not \(2,\)"),
        ({"vocabulary": VOCABULARY[:3]}, "snippets.tokens holds 4 of 3"),
        ({"labels": ()}, "match.label holds 0 of 0"),
        ({"kinds_of_document": ()}, "differ in length"),
    ],
)
def test_rows_that_do_not_fit_are_named(browser, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(browser, **change)
