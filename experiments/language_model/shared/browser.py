"""What the feature browser shows: for each latent of one dictionary, where it fires, what it says, and its relatives.

`FeatureBrowser` is filled by `feature_browser.py` and nothing else. Its arrays have one row per latent shown; token ids
index `vocabulary`, and `NOTHING` fills a row that has fewer entries than another (a snippet near the start of a
document, a latent without a parent). The page of a latent follows Towards Monosemanticity, "Feature visualisation".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import undefined

Ids = NDArray[np.integer[Any]]
Array = NDArray[np.floating[Any]]
"""Of any width: what a page shows fits in 16 bits, and a result is stored and shipped as it is."""

NOTHING = -1
"""An id that stands for no token, no document, no label, no latent."""


@dataclass(frozen=True)
class Snippets:
    """Places in held-out text where the latents fire: `snippet` per latent, each of `position` tokens around its peak.

    `kinds` says how each of the snippets was chosen, one word or two per snippet, the same for all latents
    ("strongest", or "0.4 to 0.6 of the largest"); a page groups snippets by it, in this order. No two snippets of one
    kind on one latent overlap. A snippet that does not exist is `NOTHING` throughout.
    """

    kinds: tuple[str, ...]  # (snippet,)
    tokens: Ids  # (latent, snippet, position)
    activations: Array  # (latent, snippet, position), of this latent, 0 where it is silent or there is no token
    peak: Ids  # (latent, snippet), index along `position` of the token it was chosen for
    document: Ids  # (latent, snippet), index of `FeatureBrowser.documents`
    place: Ids  # (latent, snippet), number of tokens in the document before the peak


@dataclass(frozen=True)
class Match:
    """The label of a context that each latent fits best, by F1 of "the latent is active" on held-out tokens.

    `label` indexes `FeatureBrowser.labels`. `token` is the single token of the vocabulary that predicts the latent's
    activity best, and `token_f1` how well: near 1, the latent is a name of that token.
    """

    label: Ids  # (latent,)
    token: Ids  # (latent,)
    f1: Array = undefined("no label occurs with the latent")  # (latent,), 0 to 1
    precision: Array = undefined("no label occurs with the latent")  # (latent,), 0 to 1
    recall: Array = undefined("no label occurs with the latent")  # (latent,), 0 to 1
    token_f1: Array = undefined("the latent never fires")  # (latent,), 0 to 1


@dataclass(frozen=True)
class LogitEffects:
    """What a latent does to the next token, through decoder, MLP output and unembedding, less the mean over tokens.

    In units of the logit per unit of activation, strongest first: `promoted` rise and `suppressed` fall most.
    """

    promoted: Ids  # (latent, rank)
    promoted_by: Array  # (latent, rank)
    suppressed: Ids  # (latent, rank)
    suppressed_by: Array  # (latent, rank), below 0 as a rule


@dataclass(frozen=True)
class Relatives:
    """Latents of one dictionary that belong to the latents shown, closest first.

    `dictionary` says which ("512 latents") and `names` what each of *its* latents is called, its label or its token.
    `measure` says in words what `closeness` is ("share of the parent's events that this latent carries").
    """

    dictionary: str
    measure: str
    names: tuple[str, ...]  # (latent of that dictionary,)
    latents: Ids  # (latent, rank), ids in that dictionary, `NOTHING` after the last
    closeness: Array  # (latent, rank), 0 where there is none


@dataclass(frozen=True)
class FeatureBrowser:
    """The latents of one dictionary, as the browser shows them.

    `dictionary` and `text` say in words which dictionary this is and on which text the latents were observed.
    `vocabulary` holds tokens as text, with their spaces and line ends; bytes that are no UTF-8 by themselves are
    written out as `\\xNN`. `documents` names the documents that snippets come from and `kinds_of_document` the kind of
    each ("code", "speech"). `histogram` counts tokens by activation of the latent, between `edges` (in units of
    activation), silent tokens left out.
    """

    dictionary: str
    text: str
    vocabulary: tuple[str, ...]  # (token,)
    labels: tuple[str, ...]  # (label,)
    documents: tuple[str, ...]  # (document,)
    kinds_of_document: tuple[str, ...]  # (document,)
    tokens_seen: int  # held-out tokens that densities, F1 and histograms are measured on
    latents: Ids  # (latent,), which latent of the dictionary each row is
    density: Array  # (latent,), share of those tokens on which it is active
    largest: Array  # (latent,), its largest activation on them
    edges: Array  # (bin + 1,), above 0 and rising
    histogram: Ids  # (latent, bin), counts of tokens
    snippets: Snippets
    match: Match
    logits: LogitEffects
    parents: Relatives  # in the next smaller dictionary
    children: Relatives  # in the next larger one
    neighbours: Relatives  # in this dictionary, by cosine of the decoder's rows, the latent itself left out

    def __post_init__(self) -> None:
        problems = [*self._wrong_shapes(), *self._wrong_ids()]
        if problems:
            raise ValueError(f"the feature browser cannot be shown: {'; '.join(problems)}")

    def _wrong_shapes(self) -> list[str]:
        rows, s, logits = len(self.latents), self.snippets, self.logits
        across = (rows, len(s.kinds))
        expected = {
            "density": (self.density, (rows,)),
            "largest": (self.largest, (rows,)),
            "histogram": (self.histogram, (rows, len(self.edges) - 1)),
            "snippets.tokens": (s.tokens, (*across, s.tokens.shape[-1])),
            "snippets.activations": (s.activations, s.tokens.shape),
            **{f"snippets.{name}": (getattr(s, name), across) for name in ("peak", "document", "place")},
            **{f"match.{name}": (value, (rows,)) for name, value in vars(self.match).items()},
            **{f"logits.{name}": (value, (rows, value.shape[-1])) for name, value in vars(logits).items()},
            "logits.promoted_by": (logits.promoted_by, logits.promoted.shape),
            "logits.suppressed_by": (logits.suppressed_by, logits.suppressed.shape),
        }
        for name, found in self._relatives().items():
            expected[f"{name}.latents"] = found.latents, (rows, found.latents.shape[-1])
            expected[f"{name}.closeness"] = found.closeness, found.latents.shape
        return [
            f"{name} has shape {value.shape} and not {shape}"
            for name, (value, shape) in expected.items()
            if value.shape != shape
        ]

    def _wrong_ids(self) -> list[str]:
        s = self.snippets
        limits = {
            "snippets.tokens": (s.tokens, len(self.vocabulary)),
            "snippets.document": (s.document, len(self.documents)),
            "snippets.peak": (s.peak, s.tokens.shape[-1]),
            "match.label": (self.match.label, len(self.labels)),
            "match.token": (self.match.token, len(self.vocabulary)),
            "logits.promoted": (self.logits.promoted, len(self.vocabulary)),
            "logits.suppressed": (self.logits.suppressed, len(self.vocabulary)),
            **{f"{name}.latents": (found.latents, len(found.names)) for name, found in self._relatives().items()},
        }
        wrong = [
            f"{name} holds {ids.max()} of {count}"
            for name, (ids, count) in limits.items()
            if ids.size and not (ids.min() >= NOTHING and ids.max() < count)
        ]
        if len(self.documents) != len(self.kinds_of_document):
            wrong.append("documents and kinds_of_document differ in length")
        return wrong

    def _relatives(self) -> dict[str, Relatives]:
        return {"parents": self.parents, "children": self.children, "neighbours": self.neighbours}
