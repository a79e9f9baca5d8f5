"""Terms explained where they stand: `docs/glossary.toml` gives each page the definitions of the terms it uses."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from experiments.core.errors import ReportError


@dataclass(frozen=True)
class Term:
    """One term: its name, the forms in which pages write it, its definition in plain text, and what else it is called.

    Other names are for readers who search for them; pages keep to one.
    """

    name: str
    forms: tuple[str, ...]
    text: str
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Return where the glossary page has it."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def load(path: Path) -> tuple[Term, ...]:
    """Read the glossary, in alphabetical order; a missing file is empty. Raises ReportError for a wrong entry."""
    if not path.is_file():
        return ()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("term", [])
    except tomllib.TOMLDecodeError as error:
        raise ReportError(f"docs/{path.name} cannot be read ({error})") from error
    terms = [_term(entry, path.name) for entry in entries]
    forms = [form for term in terms for form in term.forms]
    twice = next((form for form in forms if forms.count(form) > 1), None)
    if twice:
        raise ReportError(f"docs/{path.name} explains {twice!r} twice; keep one entry")
    return tuple(sorted(terms, key=lambda term: term.name.lower()))


def _term(entry: dict[str, object], file: str) -> Term:
    name, forms, text = (entry.get(key) for key in ("name", "forms", "text"))
    if not isinstance(name, str) or not isinstance(text, str) or not isinstance(forms, list) or not forms:
        raise ReportError(f"docs/{file}: the entry {name!r} needs a name, a list of forms and a text")
    also = entry.get("also", [])
    if not isinstance(also, list) or not all(isinstance(each, str) for each in also):
        raise ReportError(f"docs/{file}: the entry {name!r} has other names, `also`, that are no list of words")
    return Term(name, tuple(str(form) for form in forms), " ".join(text.split()), tuple(also))


def definitions(text: str, terms: Iterable[Term]) -> str:
    """Return, as Markdown, the definitions of those forms that `text` uses."""
    used = [
        f"*[{form}]: {term.text}"
        for term in terms
        for form in term.forms
        if form in text and re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text)
    ]
    return "\n\n" + "\n".join(used) + "\n" if used else ""
