"""The files for programs in the built site: records of figures and claims, bibliography, numbers, crate.

Their field names are stable. Everything but wall times, machine and commit follows from code, configuration and
seed, and those stand only in the records of figures and in `ro-crate-metadata.json`, so that two clean builds on
one machine give the same `claims.json` and `numbers.tex`, byte for byte.
"""

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity
from site_builder.citing.bill_of_materials import bill_of_materials
from site_builder.citing.citations import cite, cite_report
from site_builder.citing.latex_numbers import numbers_tex
from site_builder.citing.publication import (
    Publication,
    citation_key,
    file_path,
    page_path,
    script_address,
)
from site_builder.citing.ro_crate import ro_crate
from site_builder.pages.kept_texts import frame_of
from site_builder.published.calibration import interval
from site_builder.store.records import (
    REPLICATES,
    AnswerRecord,
    ClaimRecord,
    FigureRecord,
    PartCalibration,
    Report,
    Reproduction,
    Robustness,
)

ROOT = Path(__file__).parents[2]
"""What the program that makes the site needs."""


def write_outputs(report: Report, site: Path, publication: Publication) -> list[str]:
    """Write into `site` what programs read: the files at its root, and three beside the files of each figure.

    Return their names.
    """
    files = outputs(report, publication)
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(files)


def key_of(report: Report, publication: Publication, machinery: str) -> str:
    """Return the digest of all that these files are made from; `machinery` is that of code and packages."""
    return frame_of(report, publication, machinery)


def outputs(report: Report, publication: Publication) -> dict[str, str]:
    """Return the text of every such file, by its path in the site."""
    figures = sorted(report.figures.values(), key=lambda figure: (figure.number, figure.id))
    claims = sorted(report.claims.values(), key=lambda claim: claim.id)
    files = {
        "figures.json": _json({"figures": [figure_json(figure, publication) for figure in figures]}),
        "claims.json": _json({"claims": [claim_json(claim) for claim in claims]}),
        "answers.json": _json({"answers": [answer_json(answer) for answer in report.answers]}),
        "reproduction.json": _json(reproduction_json(report.reproduction or Reproduction())),
        "robustness.json": _json(robustness_json(report.robustness or Robustness())),
        "calibration.json": _json(calibration_json(report.robustness or Robustness())),
        "figures.bib": "\n".join(
            [cite_report("bibtex", publication), *(cite(figure, "bibtex", publication) for figure in figures)]
        ),
        "numbers.tex": numbers_tex(report),
        "ro-crate-metadata.json": _json(ro_crate(report, publication)),
        "bill-of-materials.cdx.json": _json(bill_of_materials(publication, ROOT)),
    }
    for figure in figures:
        files[file_path(figure, "bib")] = cite(figure, "bibtex", publication)
        files[file_path(figure, "tex")] = cite(figure, "latex", publication)
        files[file_path(figure, "record.json")] = _json(figure_json(figure, publication))
    return files


def figure_json(figure: FigureRecord, publication: Publication) -> dict[str, Any]:
    """Return a figure's record as `figures.json` has it; paths of files and pages are relative to the site's root."""
    run = figure.run
    seeds = next((run.config[name] for name in REPLICATES if name in run.config), None)
    return {
        "id": figure.id,
        "number": figure.number,
        "title": figure.title,
        "caption": figure.caption,
        "alt": figure.alt,
        "page": figure.page,
        "url": publication.at(page_path(figure)),
        "experiment": figure.experiment,
        "scale": run.scale,
        "config": run.config,
        "seed": run.config.get("seed"),
        "n": seeds,
        "interval": figure.interval,
        "device": run.device,
        "hardware": run.hardware,
        "instructions": run.instructions,
        "threads": run.threads,
        "seconds": run.seconds,
        "notes": run.notes,
        "versions": run.versions,
        "commit": run.commit,
        "dirty": run.dirty,
        "script": asdict(figure.source) | {"url": script_address(figure, publication)},
        "run_key": run.key,
        "draw_key": figure.draw_key,
        "digest": figure.digest,
        "files": {kind: asdict(file) | {"path": file_path(figure, kind)} for kind, file in figure.files.items()},
        "claims": list(figure.claims),
        "citation_key": citation_key(figure),
    }


def claim_json(claim: ClaimRecord) -> dict[str, Any]:
    """Return a claim's record as `claims.json` has it."""
    return {
        "id": claim.id,
        "statements": list(claim.statements),
        "source": claim.source,
        "title": claim.title,
        "test": claim.test,
        "statistic": statistic_json(claim.statistic),
        "criterion": claim.criterion,
        "verdict": str(claim.verdict),
        "by_criterion": None if claim.by_criterion is None else str(claim.by_criterion),
        "margin": claim.margin,
        "published": None if claim.published is None else str(claim.published),
        "figures": list(claim.figures),
        "page": claim.page,
        "experiment": claim.experiment,
        "scale": claim.scale,
    }


def answer_json(answer: AnswerRecord) -> dict[str, Any]:
    """Return the answer to a statement as `answers.json` has it; null where nothing is measured."""
    return {
        "statement": answer.statement,
        "kind": answer.kind,
        "text": answer.text or None,
        "verdict": None if answer.verdict is None else str(answer.verdict),
        "claims": list(answer.claims),
        "page": answer.page,
    }


def reproduction_json(found: Reproduction) -> dict[str, Any]:
    """Return the comparison with the published run as `reproduction.json` has it; null where nothing was published."""
    return {
        "claims": [
            {
                "id": claim.id,
                "published": _decided(claim.published_verdict, claim.published),
                "local": _decided(claim.verdict, claim.local),
                "agree": claim.agree,
            }
            for claim in found.claims
        ],
        "numbers": {"compared": found.numbers, "agree": found.numbers_agree},
    }


def robustness_json(found: Robustness) -> dict[str, Any]:
    """Return what became of each claim with other seeds as `robustness.json` has it."""
    return {
        "claims": [
            {
                "id": claim.id,
                "verdict": str(claim.verdict),
                "margin": claim.margin,
                "reseeded": len(claim.verdicts),
                "kept": claim.kept,
                "verdicts": [str(verdict) for verdict in claim.verdicts],
            }
            for claim in found.claims
        ]
    }


def calibration_json(found: Robustness) -> dict[str, Any]:
    """Return what became of the intervals of each part with other seeds as `calibration.json` has it."""
    return {"parts": [_calibrated(part) for part in found.parts]}


def _calibrated(part: PartCalibration) -> dict[str, Any]:
    numbers = {name: value for name, value in asdict(part).items() if name != "by_run"}
    low, high = interval(part) or (None, None)
    return numbers | {"low": low, "high": high}


def _decided(verdict: Verdict, statistic: Quantity | None) -> dict[str, Any]:
    numbers = statistic_json(statistic) if statistic else {"value": None, "low": None, "high": None}
    return {"verdict": str(verdict)} | {name: numbers[name] for name in ("value", "low", "high")}


def statistic_json(quantity: Quantity) -> dict[str, Any]:
    """Return a quantity with null for a bound it does not have (an interval that is open has none in JSON)."""

    def finite(number: float | None) -> float | None:
        return float(number) if number is not None and isfinite(number) else None

    return {
        "value": float(quantity.value),
        "low": finite(quantity.low),
        "high": finite(quantity.high),
        "n": quantity.n,
        "unit": quantity.unit,
        "method": quantity.method,
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
