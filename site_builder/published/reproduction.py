"""What became of the published claims and numbers when the same report is run on this machine.

Two values agree when their intervals overlap; two values without interval when they are equal but for rounding.
A claim agrees when its verdict is the same and its statistic agrees.
"""

from dataclasses import replace

from experiments.core.quantities import Quantity
from site_builder.base.project import file_of
from site_builder.published.results import Published, PublishedClaim, PublishedRun
from site_builder.store.records import (
    ClaimComparison,
    ClaimRecord,
    NumberComparison,
    Problem,
    Report,
    Reproduction,
    RunComparison,
    RunRecord,
    bounds,
)

SCALE = "full"
"""The scale of the published run; other scales are not compared with it."""

PUBLISHED_SCALES = ("full", "large")
"""Where a verdict that differs from the published one can be refused."""


def compared(report: Report, published: Published, digests: dict[str, str]) -> Report:
    """Return the report with its claims marked by what was published, and with the comparison at the published scale.

    `digests` are those of this machine's results, by experiment. Where no statistic was published, the verdict that
    the experiment's file declares stands in.
    """
    known = published.claims()
    claims = {
        id: replace(claim, published=known[id].verdict if id in known else claim.published)
        for id, claim in report.claims.items()
    }
    report = replace(report, claims=claims)
    if report.scale != SCALE or report.shipped:
        return report
    found = Reproduction(
        claims=tuple(_claim(claim, known.get(id)) for id, claim in sorted(claims.items()) if claim.published),
        runs=tuple(
            _run(run, published.runs[id], _numbers(report, id), same_bytes=digests.get(id) == published.runs[id].result)
            for id, run in sorted(report.runs.items())
            if id in published.runs
        ),
        problems=published.problems,
    )
    return replace(report, reproduction=found)


def _claim(claim: ClaimRecord, published: PublishedClaim | None) -> ClaimComparison:
    assert claim.published is not None  # only claims with a published verdict are compared
    statistic = published.statistic if published else None
    same = claim.verdict == claim.published and (
        statistic is None or bounds(statistic).overlaps(bounds(claim.statistic))
    )
    return ClaimComparison(claim.id, claim.title, claim.published, statistic, claim.verdict, claim.statistic, same)


def _numbers(report: Report, experiment: str) -> dict[str, Quantity]:
    prefix = experiment.rpartition(".")[2] + "."
    return {name: value for name, value in report.quantities.items() if name.startswith(prefix)}


def _run(run: RunRecord, published: PublishedRun, numbers: dict[str, Quantity], *, same_bytes: bool) -> RunComparison:
    common = [name for name in numbers if name in published.numbers]
    return RunComparison(
        experiment=run.experiment,
        title=run.title,
        published_hardware=published.run.hardware,
        hardware=run.hardware,
        published_instructions=published.run.instructions,
        instructions=run.instructions,
        published_seconds=published.run.seconds,
        seconds=run.seconds,
        same_bytes=same_bytes,
        numbers=len(common),
        differing=tuple(
            NumberComparison(name, published.numbers[name], numbers[name])
            for name in common
            if not bounds(published.numbers[name]).overlaps(bounds(numbers[name]))
        ),
    )


def summary(found: Reproduction) -> str:
    """Return how much was reproduced: "207 of 208 verdicts and 99.8 % of 3,021 numbers reproduced"."""
    text = f"{found.verdicts_agree} of {len(found.claims)} verdicts"
    if found.numbers:
        text += f" and {share(found.numbers_agree, found.numbers)} of {found.numbers:,} numbers"
    return f"{text} reproduced"


def share(count: int, total: int) -> str:
    """Return a share in per cent that says 100 only when nothing is missing."""
    if count == total:
        return "100 %"
    return f"{min(99.9, 100 * count / total):.1f} %"


def paragraph(found: Reproduction) -> str:
    """Return, for a terminal, how much was reproduced and where the rest stands."""
    if not found.claims:
        return ""
    differing = [
        f"{claim.id} (published: {claim.published_verdict}; here: {claim.verdict})"
        if claim.verdict != claim.published_verdict
        else f"{claim.id} (same verdict, another value)"
        for claim in found.differing
    ]
    text = f"{summary(found)}."
    if differing:
        shown = differing[:12] + ([f"and {len(differing) - 12} more"] if len(differing) > 12 else [])
        text += f" {len(differing)} claim{'s differ' if len(differing) > 1 else ' differs'}: {', '.join(shown)}."
    if differing or found.numbers_agree < found.numbers:
        text += " The page Reproduction (reproduction.html) lists every difference."
    return " ".join([text, *(f"{problem}." for problem in found.problems)])


def differences(report: Report) -> tuple[Problem, ...]:
    """Return a problem for every claim with another verdict than the published one, for builds that refuse them."""
    claims = report.claims.values()
    return tuple(
        Problem(
            file_of(claim.experiment),
            f"claim {claim.id!r} was published as {claim.published} and is {claim.verdict} at {report.scale}; "
            "find out why, then publish the new results with `python -m site_builder ship`",
        )
        for claim in claims
        if claim.published not in (None, claim.verdict)
    ) + _changed_values(report)


def _changed_values(report: Report) -> tuple[Problem, ...]:
    found = report.reproduction
    if found is None:
        return ()
    return tuple(
        Problem(
            file_of(report.claims[claim.id].experiment),
            f"claim {claim.id!r} was published with {claim.published:.4g} and has {claim.local:.4g}; "
            "find out why, then publish the new results with `python -m site_builder ship`",
        )
        for claim in found.claims
        if not claim.agree and claim.verdict == claim.published_verdict and claim.published is not None
    )
