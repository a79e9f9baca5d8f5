"""N-gram models, what a language model has to beat: the next token from the last n - 1 tokens by counting.

Interpolated by Witten and Bell's rule (1991): with c(context, w) counts in the training text and T(context) the
number of different tokens seen after the context,

    p_n(w | context) = (c(context, w) + T(context) p_{n-1}(w | shorter context)) / (c(context) + T(context)),

down to p_0, the same for all tokens.
"""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Array = NDArray[np.float64]


def n_gram_losses(training: Ids, texts: list[Ids], entries: int, order: int) -> list[list[Array]]:
    """Return the loss in nats of every token but the first of each text, for n = 1 to `order`: [n - 1][text].

    `training` and each text are tokens (token,) below `entries`; a token near the start of a text has what context
    there is.
    """
    before = [np.full(len(text) - 1, 1 / entries) for text in texts]
    found = []
    for n in range(1, order + 1):
        counts = _Counts(training, entries, n)
        before = [counts.interpolated(text, p) for text, p in zip(texts, before, strict=True)]
        found.append([-np.log(p) for p in before])
    return found


class _Counts:
    """Counts of all n-grams of a text, by number: an n-gram is written in base `entries`."""

    def __init__(self, training: Ids, entries: int, n: int) -> None:
        self.entries, self.n = entries, n
        self.grams, self.count = np.unique(self._numbers(training), return_counts=True)
        self.contexts, first, self.kinds = np.unique(self.grams // entries, return_index=True, return_counts=True)
        self.total = np.add.reduceat(self.count, first)

    def interpolated(self, text: Ids, shorter: Array) -> Array:
        """Return p_n of each token but the first (token - 1,), given p_{n-1}; without n - 1 tokens before it, that."""
        grams = self._numbers(text)[max(2 - self.n, 0) :]
        count = _found(self.grams, self.count, grams)
        total = _found(self.contexts, self.total, grams // self.entries)
        kinds = _found(self.contexts, self.kinds, grams // self.entries)
        after = shorter.copy()
        seen = after[len(after) - len(grams) :]
        seen[:] = np.where(total > 0, (count + kinds * seen) / np.maximum(total + kinds, 1), seen)
        return after

    def _numbers(self, text: Ids) -> Ids:
        long = len(text) - self.n + 1
        numbers = np.zeros(max(long, 0), np.int64)
        for k in range(self.n):
            numbers = numbers * self.entries + text[k : k + max(long, 0)]
        return numbers


def _found(keys: Ids, values: Ids, wanted: Ids) -> Array:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0).astype(np.float64)
