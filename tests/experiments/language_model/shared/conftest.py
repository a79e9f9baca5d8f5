"""The data of a feature browser with two latents, small enough to read."""

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
