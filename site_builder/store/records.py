"""What the pipeline knows about each run, figure and claim; everything published is derived from these."""

from dataclasses import dataclass, field, fields, replace
from math import inf, isclose, isnan
from typing import Any

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity

ROUNDING = 1e-3
"""Relative difference up to which two numbers without sampling error count as equal.

Another processor adds in another order, which can move one cell of a count over a grid of thousands. An interval is far
wider than that, so intervals get no such allowance.
"""

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
    "dark.svg", "light.small.png", "dark.small.png", "png", "pdf", "csv", "json", and "view.json" or
    "collection.json" where there is a view) to its file. `page` and
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


FIRM = 2.0
"""Standard errors that must lie between what was measured and another verdict for a verdict to stand."""

STEADY = 0.95
"""Share of runs with other seeds that must give a claim's verdict for it to stand."""


@dataclass(frozen=True)
class ClaimRecord:
    """One decided claim; the words come from the experiment, the statistic and verdict from its result.

    `by_criterion` is what the criterion alone says, and `margin` how far that is from another verdict, in standard
    errors; None where it is inconclusive or rests on numbers without sampling error (see `core.criteria`). The
    `verdict` is *inconclusive* where the margin is below `FIRM`, and where other seeds decide otherwise (`unsteady`).
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
    by_criterion: Verdict | None = None
    unsteady: bool = False

    @property
    def is_narrow(self) -> bool:
        """True when one measured value is too close to another verdict for the criterion's verdict to stand."""
        return self.margin is not None and self.margin < FIRM

    @property
    def of_this_run(self) -> Verdict:
        """The verdict of this run alone, whatever other seeds say."""
        return self.by_criterion if self.unsteady and self.by_criterion and not self.is_narrow else self.verdict

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
class Bounds:
    """A value with the ends of its interval, or without."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_interval(self) -> bool:
        return self.low is not None and self.high is not None

    def overlaps(self, other: "Bounds") -> bool:
        """True when two intervals have a point in common; two points do when they are equal up to rounding.

        A value without interval is a point, and so is an interval of no width. Two undefined values overlap.
        """
        (low, high), (other_low, other_high) = self._ends, other._ends
        if low == high and other_low == other_high:
            return isclose(low, other_low, rel_tol=ROUNDING, abs_tol=1e-12)  # a sum that should be 0 may not quite be
        return (low <= other_high and other_low <= high) or (isnan(self.value) and isnan(other.value))

    def holds(self, value: float) -> bool:
        """True when a value lies in the interval."""
        return self.overlaps(Bounds(value))

    @property
    def _ends(self) -> tuple[float, float]:
        if self.low is None and self.high is None:
            return self.value, self.value
        return (-inf if self.low is None else self.low, inf if self.high is None else self.high)


def bounds(quantity: Quantity) -> Bounds:
    """Return a quantity's value and interval alone."""
    return Bounds(quantity.value, quantity.low, quantity.high)


@dataclass(frozen=True)
class ReseededClaim:
    """A claim, the verdict that the published run alone gives it, and those of runs with other seeds; `margin` as in
    ClaimRecord."""

    id: str
    title: str
    verdict: Verdict
    margin: float | None
    verdicts: tuple[Verdict, ...]

    @property
    def kept(self) -> int:
        """How many of the further runs gave the published verdict."""
        return sum(verdict == self.verdict for verdict in self.verdicts)

    @property
    def is_unsteady(self) -> bool:
        """True when the further runs gave other verdicts too often for a decided claim to count as decided."""
        return self.verdict is not Verdict.INCONCLUSIVE and self.kept < STEADY * len(self.verdicts)


@dataclass(frozen=True)
class PartCalibration:
    """How the intervals of one part fare in runs with other seeds: how many pairs of an interval of one run and the
    value of another there are, how many of the two intervals have no point in common, and how often the value lies
    outside the interval.

    `expected` is how many of the `intervals` pairs would have the value outside if every interval covered as it
    says. `constant` pairs are of numbers that no seed changed, and `given` ones are intervals over units that no seed
    draws (words of a language): neither can show whether an interval covers, so they are not among `intervals`.
    `by_run` has (pairs, outside) of each run of each experiment (experiment, run), whichever of the two it gave.
    """

    part: str
    intervals: int = 0
    disjoint: int = 0
    outside: int = 0
    expected: float = 0.0
    constant: int = 0
    given: int = 0
    by_run: tuple[tuple[tuple[int, int], ...], ...] = ()

    def __add__(self, other: "PartCalibration") -> "PartCalibration":
        """Return both together, under the name of the first; they are of different experiments."""
        names = [f.name for f in fields(self) if f.name != "part"]
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def share(self) -> float:
        """The share of pairs with the value outside."""
        return self.outside / self.intervals

    @property
    def expected_share(self) -> float:
        return self.expected / self.intervals


@dataclass(frozen=True)
class Robustness:
    """What became of the published claims and intervals with other seeds. `left_out` are experiments whose further
    runs are older than their code."""

    claims: tuple[ReseededClaim, ...] = ()
    parts: tuple[PartCalibration, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def flipped(self) -> tuple[ReseededClaim, ...]:
        """The claims that did not keep their verdict every time, the worst first."""
        return tuple(sorted((each for each in self.claims if each.kept < len(each.verdicts)), key=_share_kept))

    @property
    def runs(self) -> int:
        """How many verdicts were reached with other seeds."""
        return sum(len(each.verdicts) for each in self.claims)

    @property
    def kept(self) -> int:
        return sum(each.kept for each in self.claims)

    @property
    def whole(self) -> PartCalibration:
        """The intervals of all parts together."""
        return sum(self.parts, PartCalibration("all"))


def _share_kept(claim: ReseededClaim) -> float:
    return claim.kept / len(claim.verdicts)


@dataclass(frozen=True)
class ChangedVerdict:
    """A published claim with another verdict, and the values of its statistic, `old` and `new`; None before it was
    published and after it was withdrawn."""

    claim: str
    before: Verdict | None
    after: Verdict | None
    old: float | None
    new: float | None


@dataclass(frozen=True)
class Revision:
    """What changed when verdicts were published: the version of the report and the date (ISO 8601) then."""

    version: str
    date: str
    changes: tuple[ChangedVerdict, ...] = ()

    @property
    def added(self) -> tuple[ChangedVerdict, ...]:
        """The claims that were published for the first time."""
        return tuple(each for each in self.changes if each.before is None)

    @property
    def changed(self) -> tuple[ChangedVerdict, ...]:
        """The claims that had been published before."""
        return tuple(each for each in self.changes if each.before is not None)


@dataclass(frozen=True)
class Report:
    """All that pages can show. `quantities` maps "<experiment file>.<field>[.<name>]" to a number.

    `absent` names what exists but has no result in this build, and why ("first_runs.starfish failed: ..."):
    ids of figures and claims, and the experiment file's name for all of its quantities. Pages then say so
    in place of the thing, where an unknown name is a mistake in the page. `dormant` names, in the same way, what has
    nothing to run in this build (an optional file was not given); pages leave it out.

    `shipped` says that all of it is drawn from the published results; `stale` then names figures and claims whose code
    is newer than their result, and how. `reproduction` compares a run of this machine with the published one.
    `robustness` compares the published run with runs that had other seeds. `revisions` say what became of published
    verdicts, the latest first.
    `answers` has one for each statement of the notes, in their order; the pages fill it in. `large` says how many times
    the work of the full run the large one is, by experiment.
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
    robustness: Robustness | None = None
    revisions: tuple[Revision, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    large: dict[str, float] = field(default_factory=dict)

    @property
    def narrow(self) -> tuple[ClaimRecord, ...]:
        """The claims that are inconclusive because another verdict is too close, the closest first."""
        found = (claim for claim in self.claims.values() if claim.is_narrow)
        return tuple(sorted(found, key=lambda claim: claim.margin or 0.0))
