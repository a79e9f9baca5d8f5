"""The browser's data comes back from the store as it went in, and what no page could show is refused at once."""

import dataclasses

import numpy as np
import pytest

from experiments.language_model.shared.browser import FeatureBrowser
from site_builder.store.codec import decode, encode, npz_bytes


def test_the_store_gives_back_what_went_in(browser):
    arrays = {}
    data = encode(browser, FeatureBrowser, "Result.browser", arrays)
    again = decode(data, FeatureBrowser, arrays)
    assert again.vocabulary == browser.vocabulary
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
        ({"vocabulary": ("a", "b", "c")}, "snippets.tokens holds 4 of 3"),
        ({"labels": ()}, "match.label holds 0 of 0"),
        ({"kinds_of_document": ()}, "differ in length"),
    ],
)
def test_rows_that_do_not_fit_are_named(browser, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(browser, **change)
