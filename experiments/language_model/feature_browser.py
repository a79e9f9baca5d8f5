"""What does each latent of one dictionary stand for? The data of the feature browser.

For every latent that fires: the text on which it is strongest and at random by strength, its density, the label and
the token it fits best, what it does to the next token, and its relatives in this dictionary and in those of half and
twice the width.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import plotting, progress
from experiments.core.browsing import Collection
from experiments.core.contract import Experiment
from experiments.language_model.shared.browser import (
    NOTHING,
    FeatureBrowser,
    LogitEffects,
    Match,
    Relatives,
    Snippets,
)
from experiments.language_model.shared.browser_pages import latent_pages
from experiments.language_model.shared.corpus import Corpus, corpus
from experiments.language_model.shared.detection import f1_scores
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.network import Network
from experiments.language_model.shared.observed import ALL_LABELS, Seen, observed_in, seen_by
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.text import ARCHIVE

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

FITS = ("best token", "best label")
BANDS = (0.8, 0.6, 0.4, 0.2, 0.0)
"""Lower ends of the bands of strength, as shares of the largest activation, from which snippets are drawn."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run: the dictionary of `ratio` of the first network and seed."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    ratio: float = 4
    windows: int = 12  # most pieces of text per held-out document
    least: int = 10  # tokens on which a latent must fire to be shown
    strongest: int = 6
    per_band: int = 2
    before: int = 12
    after: int = 8
    logits: int = 8
    relatives: int = 5
    bins: int = 20


experiment = Experiment(
    __name__,
    title="Feature browser",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=24),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> FeatureBrowser:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)[0]
    text = seen_by(networks[0][0], config.windows)
    h = observed_in(networks[0][0], text).h
    source = corpus(d.network.text)
    family = [_of_ratio(found, ratio) for ratio in (config.ratio / 2, config.ratio, config.ratio * 2)]
    small, f, large = (one.encoded(h) for one in family)
    latents = np.flatnonzero(np.asarray((f > 0).sum(0)).ravel() >= config.least)
    shown = f[:, latents].tocsc()
    largest = np.asarray(shown.max(0).todense(), dtype=np.float64).ravel()
    edges = np.geomspace(max(float(largest.max()) / 1000, 1e-6), float(largest.max()) * 1.0001, config.bins + 1)
    tokens = len(text.ids)
    return FeatureBrowser(
        dictionary=f"a dictionary of {f.shape[1]:,} latents on {d.network.mlp} neurons",
        text="presidential messages and modules of Python's standard library that nothing was trained on",
        vocabulary=tuple(written(token) for token in source.tokens.vocabulary),
        labels=ALL_LABELS,
        documents=tuple(source.documents[k].name for k in source.held_out),
        kinds_of_document=tuple(source.documents[k].part for k in source.held_out),
        tokens_seen=tokens,
        latents=latents,
        density=np.diff(shown.indptr) / tokens,
        largest=largest,
        edges=edges,
        histogram=_histogram(shown, edges),
        snippets=_snippets(config, text, shown, largest),
        match=_match(shown, text, len(source.tokens.vocabulary)),
        logits=_logits(config, family[1], networks[0][0], latents),
        parents=_relatives(config, family[0], shown, small, text, source),
        children=_relatives(config, family[2], shown, large, text, source),
        neighbours=_neighbours(config, family[1], latents, f, text, source),
    )


def _of_ratio(found: list[Dictionary], ratio: float) -> Dictionary:
    return next(one for one in found if one.arm == "batchtopk" and one.ratio == ratio and one.seed == 0)


def written(token: bytes) -> str:
    """Return a token as text; bytes that are no UTF-8 by themselves, and the end of a document, as \\xNN."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in token)
    return "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\x{ord(sign):02x}" for sign in text)


def _histogram(shown: sparse.csc_matrix, edges: Array) -> Ids:
    columns = np.split(shown.data, shown.indptr[1:-1])
    return np.array([np.histogram(np.maximum(column, edges[0]), edges)[0] for column in columns])


def _snippets(config: Config, text: Seen, shown: sparse.csc_matrix, largest: Array) -> Snippets:
    kinds = ("strongest",) * config.strongest
    for low, high in zip(BANDS, (1.0, *BANDS[:-1]), strict=True):
        kinds += (f"{low:g} to {high:g} of the largest",) * config.per_band
    rows, span = shown.shape[1], config.before + 1 + config.after
    found = {
        "tokens": np.full((rows, len(kinds), span), NOTHING, np.int16),
        "activations": np.zeros((rows, len(kinds), span), np.float16),
        "peak": np.full((rows, len(kinds)), NOTHING, np.int16),
        "document": np.full((rows, len(kinds)), NOTHING, np.int16),
        "place": np.full((rows, len(kinds)), NOTHING, np.int32),
    }
    dense = np.zeros(shown.shape[0], np.float32)
    for row in range(rows):
        at = shown.indices[shown.indptr[row] : shown.indptr[row + 1]]
        value = shown.data[shown.indptr[row] : shown.indptr[row + 1]]
        dense[at] = value
        for k, token in _chosen(config, text, at, value, float(largest[row]), row):
            _place(config, text, dense, int(token), {name: array[row, k : k + 1] for name, array in found.items()})
        dense[at] = 0
        if row % 100 == 0:
            progress.advance("collecting snippets", row / rows)
    return Snippets(kinds=kinds, **found)


def _chosen(
    config: Config, text: Seen, at: Ids, value: NDArray[np.float32], largest: float, row: int
) -> list[tuple[int, int]]:
    """Return pairs (number of the snippet, token): the strongest, then some of each band at random."""
    rng = np.random.default_rng([config.seed, row])
    order = np.argsort(-value, kind="stable")
    found = [(k, token) for k, token in enumerate(_apart(config, text, at[order], config.strongest))]
    for band, (low, high) in enumerate(zip(BANDS, (1.0, *BANDS[:-1]), strict=True)):
        inside = at[(value > low * largest) & (value <= high * largest)]
        first = config.strongest + band * config.per_band
        drawn = _apart(config, text, rng.permutation(inside)[:200], config.per_band)
        found += [(first + k, token) for k, token in enumerate(drawn)]
    return found


def _apart(config: Config, text: Seen, tokens: Ids, most: int) -> list[int]:
    """Return the first `most` tokens whose snippets do not overlap."""
    kept: list[int] = []
    for token in tokens.tolist():
        if all(abs(token - other) > config.before + config.after for other in kept):
            kept.append(token)
            if len(kept) == most:
                break
    return kept


def _place(
    config: Config, text: Seen, dense: NDArray[np.float32], token: int, into: dict[str, NDArray[np.generic]]
) -> None:
    context = text.windows.ids.shape[1] - 1
    window = token // context
    low = max(token - config.before, window * context)
    high = min(token + config.after + 1, (window + 1) * context)
    first = low - (token - config.before)
    into["tokens"][0, first : first + high - low] = text.ids[low:high]
    into["activations"][0, first : first + high - low] = dense[low:high]
    into["peak"][0] = config.before
    into["document"][0] = text.document[token]
    into["place"][0] = text.windows.place[window] + token % context


def _match(shown: sparse.csc_matrix, text: Seen, entries: int) -> Match:
    both, fired, present = _together(shown, text.labels)
    f1 = f1_scores(both, fired[:, None], present)
    label, rows = f1.argmax(1), np.arange(len(f1))
    token, token_f1 = _best_token(shown, text.ids, entries)
    return Match(
        label=label,
        token=token,
        f1=f1[rows, label],
        precision=both[rows, label] / fired,
        recall=both[rows, label] / np.maximum(present[label], 1),
        token_f1=token_f1,
    )


def _together(f: sparse.csc_matrix, flags: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    fires = sparse.csc_matrix((np.ones(f.nnz, np.float32), f.indices, f.indptr), shape=f.shape)
    both = np.asarray(fires.T @ flags.astype(np.float32), dtype=np.float64)
    return both, np.diff(f.indptr).astype(np.float64), flags.sum(0).astype(np.float64)


def _best_token(f: sparse.csc_matrix, ids: Ids, entries: int) -> tuple[Ids, Array]:
    """Return for each column the token whose presence agrees best with its activity, and the F1."""
    of_token = sparse.csr_matrix((np.ones(len(ids), np.float32), (ids, np.arange(len(ids)))), shape=(entries, len(ids)))
    fires = sparse.csc_matrix((np.ones(f.nnz, np.float32), f.indices, f.indptr), shape=f.shape)
    both = np.asarray((of_token @ fires).todense(), dtype=np.float64)
    f1 = f1_scores(
        both, np.diff(f.indptr).astype(np.float64), np.bincount(ids, minlength=entries)[:, None].astype(np.float64)
    )
    return f1.argmax(0), f1.max(0)


def _logits(config: Config, one: Dictionary, network: Network, latents: Ids) -> LogitEffects:
    w = network.weights
    effects = (one.W_dec[latents] / np.float32(one.scale)) @ w.W_out @ w.U
    effects = effects - effects.mean(1, keepdims=True)
    order = np.argsort(-effects, axis=1, kind="stable")
    up, down = order[:, : config.logits], order[:, ::-1][:, : config.logits]
    return LogitEffects(
        promoted=up.astype(np.int16),
        promoted_by=np.take_along_axis(effects, up, 1),
        suppressed=down.astype(np.int16),
        suppressed_by=np.take_along_axis(effects, down, 1),
    )


def _relatives(
    config: Config, other: Dictionary, shown: sparse.csc_matrix, f: sparse.csr_matrix, text: Seen, source: Corpus
) -> Relatives:
    """Return the latents of another dictionary whose activity goes with that of the latents shown."""
    latents, closeness = _closest(config, _correlations(shown, f), 0.2)
    return Relatives(
        dictionary=f"{f.shape[1]} latents",
        measure="correlation of activations on held-out text",
        names=_names(f, text, source),
        latents=latents,
        closeness=closeness,
    )


def _neighbours(
    config: Config, one: Dictionary, latents: Ids, f: sparse.csr_matrix, text: Seen, source: Corpus
) -> Relatives:
    cosine = one.W_dec[latents].astype(np.float64) @ one.W_dec.T.astype(np.float64)
    cosine[np.arange(len(latents)), latents] = -1
    nearest, closeness = _closest(config, cosine, 0.0)
    return Relatives(
        dictionary=f"{f.shape[1]} latents",
        measure="cosine of the decoder's rows",
        names=_names(f, text, source),
        latents=nearest,
        closeness=closeness,
    )


def _closest(config: Config, closeness: Array, least: float) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    order = np.argsort(-closeness, axis=1, kind="stable")[:, : config.relatives]
    value = np.take_along_axis(closeness, order, 1)
    enough = value > least
    return np.where(enough, order, NOTHING).astype(np.int16), np.where(enough, value, 0.0).astype(np.float32)


def _correlations(a: sparse.csc_matrix, b: sparse.csr_matrix) -> Array:
    """Return the correlation (column of a, column of b), 0 for a column that does not vary."""
    rows = a.shape[0]
    mean_a, mean_b = (np.asarray(each.mean(0), dtype=np.float64).ravel() for each in (a, b))
    product = np.asarray((a.T @ b).todense(), dtype=np.float64) / rows - np.outer(mean_a, mean_b)
    deviation = [
        np.sqrt(np.maximum(np.asarray(each.multiply(each).mean(0)).ravel() - mean**2, 0))
        for each, mean in ((a, mean_a), (b, mean_b))
    ]
    scale = np.outer(*deviation)
    return np.where(scale > 1e-12, product / np.maximum(scale, 1e-12), 0.0)


def _names(f: sparse.csr_matrix, text: Seen, source: Corpus) -> tuple[str, ...]:
    """Return what each latent is called: the label or the token that it fits best."""
    columns = f.tocsc()
    both, fired, present = _together(columns, text.labels)
    of_label = f1_scores(both, np.maximum(fired, 1)[:, None], present)
    token, of_token = _best_token(columns, text.ids, len(source.tokens.vocabulary))
    return tuple(
        "silent" if not fired[k] else ALL_LABELS[of_label[k].argmax()] if of_label[k].max() > of_token[k]
        else written(source.tokens.vocabulary[token[k]])
        for k in range(f.shape[1])
    )  # fmt: skip


@experiment.figure(
    "browser-latents",
    title="All latents of the browser",
    caption=(
        "How often each latent fires, and how well the token (a) or the label (b) that fits it best predicts when: an "
        "F1 near one means that the latent fires where the token or label is and nowhere else. Every point is a latent "
        "with a page of its own."
    ),
    alt="Two scatter plots of F1 over the share of tokens on which a latent fires, on a logarithmic axis. By token, F1 "
    "spreads from zero to one; by label, it is near zero for most latents.",
)
def draw(result: FeatureBrowser) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.2, sharey=True)
    for k, (ax, f1, title) in enumerate(zip(axes, (result.match.token_f1, result.match.f1), FITS, strict=True)):
        ax.scatter(result.density, f1, s=8, color=plotting.series(k), alpha=0.6, linewidths=0, label=title)
        ax.set(xscale="log", xlabel="share of tokens on which it fires", title=title, ylim=(-0.02, 1.02))
    axes[0].set_ylabel("F1")
    plotting.panel_letters(axes)
    return figure


@experiment.view("browser-latents")
def browse(result: FeatureBrowser) -> Collection:
    return latent_pages(result)
