"""From the data of the feature browser to its pages: one entry per latent, see `core.browsing`.

Used as the view of a figure::

    @experiment.view("<figure id>")
    def browse(result: Result) -> Collection:
        return latent_pages(result.browser)
"""

from itertools import groupby

import numpy as np

from experiments.core.browsing import Bars, Collection, Column, Entry, Histogram, Passage, Passages, Row, Section
from experiments.language_model.shared.browser import NOTHING, FeatureBrowser, Relatives

COLUMNS = (
    Column("density", "Share of held-out tokens on which the latent is active.", ".3%"),
    Column("label", "The label of a context that the latent fits best, by F1."),
    Column("F1", "How well “the latent is active” tells this label on held-out tokens; 1 is perfect.", ".2f"),
    Column("token", "The single token of the vocabulary that predicts the latent's activity best."),
    Column("token F1", "How well that token alone tells whether the latent is active; 1 means it is the token.", ".2f"),
    Column("largest", "The largest activation seen.", ".2f"),
    Column("parent", "Closeness of the nearest relative in the next smaller dictionary; none is a dash.", ".2f"),
)
"""What the index can be sorted by."""


def latent_pages(browser: FeatureBrowser) -> Collection:
    """Return the pages of all latents of the browser, most dense first."""
    rows = np.argsort(-browser.density, kind="stable")
    return Collection(
        title=f"Latents of {browser.dictionary}",
        noun="latent",
        nouns="latents",
        about=f"Each latent of {browser.dictionary}, on {browser.text} ({browser.tokens_seen:,} tokens). Its page "
        "shows where it is active, which label it fits, what it does to the next token, and its relatives in smaller "
        "and larger dictionaries.",
        columns=COLUMNS,
        entries=tuple(_entry(browser, int(row)) for row in rows),
    )


def _entry(browser: FeatureBrowser, row: int) -> Entry:
    number = int(browser.latents[row])
    return Entry(
        id=_id(number),
        title=f"Latent {number}",
        summary=_summary(browser, row),
        values=_values(browser, row),
        sections=tuple(_sections(browser, row)),
    )


def _id(latent: int) -> str:
    return f"latent-{latent}"


def _word(browser: FeatureBrowser, token: int) -> str:
    return browser.vocabulary[token] if token != NOTHING else ""


def _quoted(browser: FeatureBrowser, tokens: list[int]) -> str:
    """Return distinct tokens in quotation marks, their spaces visible."""
    words = dict.fromkeys(_word(browser, token) for token in tokens)
    return ", ".join(f"“{word.replace(' ', '␣')}”" for word in words)


def _summary(browser: FeatureBrowser, row: int) -> str:
    """Return on which tokens the latent peaks, and what it promotes."""
    snippets = browser.snippets
    peaks = [
        int(tokens[peak]) for tokens, peak in zip(snippets.tokens[row], snippets.peak[row], strict=True) if peak >= 0
    ]
    promoted = [int(token) for token in browser.logits.promoted[row][:3] if token != NOTHING]
    said = f"Active on {_quoted(browser, list(dict.fromkeys(peaks))[:4])}." if peaks else "Active nowhere."
    return f"{said} Promotes {_quoted(browser, promoted)}." if promoted else said


def _values(browser: FeatureBrowser, row: int) -> tuple[str | float | None, ...]:
    match = browser.match
    label = int(match.label[row])
    return (
        float(browser.density[row]),
        browser.labels[label] if label != NOTHING else "",
        _defined(match.f1[row]),
        _word(browser, int(match.token[row])).replace(" ", "␣"),
        _defined(match.token_f1[row]),
        float(browser.largest[row]),
        _defined(browser.parents.closeness[row].max()) if (browser.parents.latents[row] != NOTHING).any() else None,
    )


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sections(browser: FeatureBrowser, row: int) -> list[Section]:
    promoted, suppressed = browser.logits.promoted[row], browser.logits.suppressed[row]
    effect = "Change of the next token's logit per unit of activation, through decoder and unembedding"
    return [
        *_snippets(browser, row),
        Histogram(
            "Activations",
            "How often the latent has which activation, where it is active.",
            "activation",
            tuple(map(float, browser.edges)),
            tuple(map(int, browser.histogram[row])),
        ),
        Bars(
            "Promoted tokens", f"{effect}.", _effects(browser, promoted, browser.logits.promoted_by[row]), is_text=True
        ),
        Bars(
            "Suppressed tokens",
            f"{effect}.",
            _effects(browser, suppressed, browser.logits.suppressed_by[row]),
            is_text=True,
        ),
        _relatives("Parents", browser, browser.parents, row),
        _relatives("Children", browser, browser.children, row),
        _relatives("Neighbours", browser, browser.neighbours, row, linked=True),
        *_fit(browser, row),
    ]


def _snippets(browser: FeatureBrowser, row: int) -> list[Passages]:
    """Return the snippets, grouped by how they were chosen, those that do not exist left out."""
    found = []
    numbers = range(len(browser.snippets.kinds))
    for kind, members in groupby(numbers, key=lambda number: browser.snippets.kinds[number]):
        there = [number for number in members if browser.snippets.peak[row, number] != NOTHING]
        if there:
            passages = tuple(_passage(browser, row, number) for number in there)
            found.append(Passages(f"Snippets: {kind}", "Held-out text around the marked peak.", passages))
    return found


def _passage(browser: FeatureBrowser, row: int, number: int) -> Passage:
    s = browser.snippets
    real = s.tokens[row, number] != NOTHING
    activations = np.where(real, s.activations[row, number], 0.0)
    largest = max(float(browser.largest[row]), float(activations.max()), 1e-12)
    peak, document, place = (int(each[row, number]) for each in (s.peak, s.document, s.place))
    return Passage(
        tokens=tuple(_word(browser, int(token)) for token in s.tokens[row, number][real]),
        strengths=tuple(round(float(value), 3) for value in np.clip(activations[real] / largest, 0, 1)),
        peak=int(real[:peak].sum()),
        source=f"{browser.documents[document]} ({browser.kinds_of_document[document]}), token {place}",
        value=f"{float(s.activations[row, number, peak]):.2f}",
    )


def _effects(browser: FeatureBrowser, tokens: np.ndarray, effects: np.ndarray) -> tuple[Row, ...]:
    there = [(int(token), float(effect)) for token, effect in zip(tokens, effects, strict=True) if token != NOTHING]
    return tuple(Row(_word(browser, token), effect) for token, effect in there)


def _relatives(title: str, browser: FeatureBrowser, of: Relatives, row: int, linked: bool = False) -> Bars:
    """Return the relatives of a latent; those of its own dictionary are links where they have a page."""
    shown = {int(latent) for latent in browser.latents} if linked else set()
    there = [(int(k), float(c)) for k, c in zip(of.latents[row], of.closeness[row], strict=True) if k != NOTHING]
    rows = tuple(Row(f"{k}: {of.names[k]}", c, _id(k) if k in shown else "") for k, c in there)
    return Bars(title, f"In {of.dictionary}: {of.measure}.", rows, ".2f")


def _fit(browser: FeatureBrowser, row: int) -> list[Bars]:
    """Return how the latent fits its best label, if there is one."""
    label, match = int(browser.match.label[row]), browser.match
    if label == NOTHING or not np.isfinite([match.f1[row], match.precision[row], match.recall[row]]).all():
        return []
    rows = (
        Row("precision", float(match.precision[row])),
        Row("recall", float(match.recall[row])),
        Row("F1", float(match.f1[row])),
    )
    return [Bars("Best label", f"“{browser.labels[label]}”, from whether the latent is active.", rows, ".2f")]
