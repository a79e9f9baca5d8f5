"""What the pipeline knows about each run, figure and claim; everything published is derived from these."""

from dataclasses import dataclass, field
from typing import Any

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity

REPLICATES = ("seeds", "models", "instances")
"""Fields of a configuration that say how many independent models a figure rests on; the first found counts."""


@dataclass(frozen=True)
class FileRecord:
    """One file on disk: its path relative to the build's `figures/` folder, its SHA-256 and its size."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Source:
    """Where a figure is drawn: the script (relative to the repository), first and last line."""

    path: str
    first_line: int
    last_line: int


@dataclass(frozen=True)
class RunRecord:
    """One finished run of an experiment.

    `seconds` is wall time; `instructions` what the processor was used as ("x86-64-v3"); `notes` what the run said of
    itself.
    """

    experiment: str
    title: str
    scale: str
    config: dict[str, Any]
    key: str
    device: str
    hardware: str
    instructions: str
    threads: int
    seconds: float
    versions: dict[str, str]
    commit: str
    dirty: bool
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureRecord:
    """One figure, with all that a citation needs.

    `caption` and `alt` are final text. `digest` is the SHA-256 of the plotted data and the figure's
    identity in canonical form, so a new colour does not change it. `files` maps a kind ("light.svg",
    "dark.svg", "light.small.png", "dark.small.png", "png", "pdf", "csv", "json", and "view.json" where
    there is a view) to its file. `page` and
    `number` are given by the page that shows it first; `claims` are those that rest on it.
    """

    id: str
    title: str
    caption: str
    alt: str
    interval: str
    experiment: str
    run: RunRecord
    source: Source
    draw_key: str
    digest: str
    files: dict[str, FileRecord]
    claims: tuple[str, ...] = ()
    page: str = ""
    number: int = 0


@dataclass(frozen=True)
class ClaimRecord:
    """One decided claim; the words come from the experiment, the statistic and verdict from its result.

    `margin` is how far the statistic is from another verdict, in standard errors; None where the verdict is
    inconclusive or rests on numbers without sampling error (see `core.criteria`).
    """

    id: str
    title: str
    experiment: str
    scale: str
    statements: tuple[str, ...]
    source: str
    test: str
    criterion: str
    statistic: Quantity
    verdict: Verdict
    published: Verdict | None
    figures: tuple[str, ...]
    page: str = ""
    margin: float | None = None

    @property
    def differs(self) -> bool:
        """True when the published verdict is another one, at the scale that was published."""
        return self.scale != "quick" and self.published not in (None, self.verdict)


@dataclass(frozen=True)
class AnswerRecord:
    """The answer to one statement of the notes: a sentence in plain text ("" without one), the verdict that follows
    from its claims (None where nothing is measured), the ids of all claims on it, and the page that shows it."""

    statement: str
    kind: str
    text: str
    verdict: Verdict | None
    claims: tuple[str, ...]
    page: str


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong: where (experiment, figure, or page and line) and one sentence."""

    where: str
    message: str


@dataclass(frozen=True)
class ClaimComparison:
    """One claim in the published run and here. Without a published statistic only the verdict is compared."""

    id: str
    title: str
    published_verdict: Verdict
    published: Quantity | None
    verdict: Verdict
    local: Quantity
    agree: bool


@dataclass(frozen=True)
class NumberComparison:
    """One number that differs between the published run and here, by the name pages use."""

    name: str
    published: Quantity
    local: Quantity


@dataclass(frozen=True)
class RunComparison:
    """One experiment in the published run and here: machines, instructions, seconds; whether both results are the same
    bytes; how many numbers both have, and which of them differ."""

    experiment: str
    title: str
    published_hardware: str
    hardware: str
    published_instructions: str
    instructions: str
    published_seconds: float
    seconds: float
    same_bytes: bool
    numbers: int
    differing: tuple[NumberComparison, ...]


@dataclass(frozen=True)
class Reproduction:
    """What became of the published claims and numbers when the same report was run here.

    `problems` are sentences on published results that could not be read.
    """

    claims: tuple[ClaimComparison, ...] = ()
    runs: tuple[RunComparison, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def verdicts_agree(self) -> int:
        return sum(claim.verdict == claim.published_verdict for claim in self.claims)

    @property
    def differing(self) -> tuple[ClaimComparison, ...]:
        """The claims that do not agree, those with another verdict first."""
        wrong = [claim for claim in self.claims if not claim.agree]
        return tuple(sorted(wrong, key=lambda claim: claim.verdict == claim.published_verdict))

    @property
    def numbers(self) -> int:
        return sum(run.numbers for run in self.runs)

    @property
    def numbers_agree(self) -> int:
        return self.numbers - sum(len(run.differing) for run in self.runs)


@dataclass(frozen=True)
class Report:
    """All that pages can show. `quantities` maps "<experiment file>.<field>[.<name>]" to a number.

    `absent` names what exists but has no result in this build, and why ("first_runs.starfish failed: ..."):
    ids of figures and claims, and the experiment file's name for all of its quantities. Pages then say so
    in place of the thing, where an unknown name is a mistake in the page. `dormant` names, in the same way, what has
    nothing to run in this build (an optional file was not given); pages leave it out.

    `shipped` says that all of it is drawn from the published results; `stale` then names figures and claims whose code
    is newer than their result, and how. `reproduction` compares a run of this machine with the published one.
    `answers` has one for each statement of the notes, in their order; the pages fill it in.
    """

    scale: str
    runs: dict[str, RunRecord] = field(default_factory=dict)
    figures: dict[str, FigureRecord] = field(default_factory=dict)
    claims: dict[str, ClaimRecord] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    dormant: dict[str, str] = field(default_factory=dict)
    shipped: bool = False
    stale: dict[str, str] = field(default_factory=dict)
    reproduction: Reproduction | None = None
    answers: tuple[AnswerRecord, ...] = ()
