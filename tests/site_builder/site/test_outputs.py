"""Files for programs: stable fields, every reference resolved, the same bytes from the same report."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from experiments.core.quantities import Quantity, exact, share
from site_builder.citing.latex_numbers import macro_name, numbers_tex
from site_builder.citing.publication import Publication
from site_builder.site.outputs import key_of, outputs, write_outputs
from site_builder.store.records import Report

BOOK = Publication(
    "A report", ("The Group",), "https://example.org/", "https://git.example.org/x", "MIT", "1", "2026-11-22"
)
CLAIM_FIELDS = {"id", "statements", "source", "title", "statistic", "criterion", "verdict", "figures", "page"}
FIGURE_FIELDS = {
    "id", "number", "title", "caption", "alt", "page", "experiment", "config", "n", "interval", "device", "threads",
    "seconds", "versions", "commit", "dirty", "script", "run_key", "draw_key", "digest", "files", "claims",
}  # fmt: skip


@pytest.fixture
def report(drawn_report):
    return drawn_report[0]


@pytest.fixture
def site(report, drawn_report, tmp_path):
    """The outputs of the report, beside its figure files as the site has them."""
    for figure in report.figures.values():
        for kind, file in figure.files.items():
            (tmp_path / "figures").mkdir(exist_ok=True)
            shutil.copy(drawn_report[1] / file.path, tmp_path / "figures" / f"{figure.id}.{kind}")
    write_outputs(report, tmp_path, BOOK)
    return tmp_path


def test_claims_have_the_documented_fields(site, report):
    claims = json.loads((site / "claims.json").read_text())["claims"]
    assert {claim["id"] for claim in claims} == set(report.claims)
    for claim in claims:
        assert claim.keys() >= CLAIM_FIELDS
        assert list(claim["statistic"]) == ["value", "low", "high", "n", "unit", "method"]
        assert claim["statistic"]["value"] == report.claims[claim["id"]].statistic.value
        assert claim["verdict"] == str(report.claims[claim["id"]].verdict)


def test_figures_have_the_documented_fields_and_their_files_are_there(site, report):
    figures = json.loads((site / "figures.json").read_text())["figures"]
    assert {figure["id"] for figure in figures} == set(report.figures)
    for figure in figures:
        assert figure.keys() >= FIGURE_FIELDS
        assert (figure["n"], figure["seed"]) == (256, 0)
        for file in figure["files"].values():
            assert list(file) == ["path", "sha256", "bytes"]
            assert (site / file["path"]).stat().st_size == file["bytes"]
        assert json.loads((site / f"figures/{figure['id']}.record.json").read_text()) == figure


def test_figures_are_in_reading_order(report):
    numbers = {id: number for number, id in enumerate(sorted(report.figures, reverse=True), start=1)}
    renumbered = replace(report, figures={id: replace(f, number=numbers[id]) for id, f in report.figures.items()})
    figures = json.loads(outputs(renumbered, BOOK)["figures.json"])["figures"]
    assert [figure["number"] for figure in figures] == [1, 2]


def test_only_records_of_figures_know_how_long_a_run_took(report):
    slower = {id: replace(f, run=replace(f.run, seconds=1e6, hardware="other")) for id, f in report.figures.items()}
    before, after = outputs(report, BOOK), outputs(replace(report, figures=slower), BOOK)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"figures.json", *(f"figures/{id}.record.json" for id in report.figures)}


def test_the_order_of_discovery_changes_nothing(report):
    turned = Report(
        report.scale,
        dict(reversed(report.runs.items())),
        dict(reversed(report.figures.items())),
        dict(reversed(report.claims.items())),
        dict(reversed(report.quantities.items())),
    )
    assert outputs(turned, BOOK) == outputs(report, BOOK)


def test_the_bibliography_has_one_entry_per_figure(site, report):
    keys = re.findall(r"^@misc\{([^,]+),$", (site / "figures.bib").read_text(), re.MULTILINE)
    assert sorted(keys) == [f"toymodelsmeasured:{id}" for id in sorted(report.figures)]


def test_every_reference_inside_the_crate_resolves(site):
    graph = json.loads((site / "ro-crate-metadata.json").read_text())["@graph"]
    ids = [entity["@id"] for entity in graph]
    assert len(ids) == len(set(ids))

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else ()
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from references(each)

    wanted = {id for entity in graph for id in references(entity) if not id.startswith("https://w3id.org/")}
    assert wanted <= set(ids)
    for entity in graph:
        if entity["@type"] == "File":
            assert (site / entity["@id"]).is_file()


def macros(text):
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    found = [re.fullmatch(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}", line) for line in lines]
    assert all(found)
    names = [each[1] for each in found]
    assert len(names) == len(set(names))
    return {each[1]: each[2] for each in found}


def test_every_number_is_a_macro_with_value_interval_and_n():
    hits = share([True] * 3 + [False])
    found = macros(
        numbers_tex(Report("full", quantities={"starfish.share.0.1": hits, "starfish.shift": exact(-0.5, "rad")}))
    )
    base = "qStarfishShareZeroPointOne"
    assert found[base] == f"{hits}"
    assert found[f"{base}Value"] == f"{hits:value}"
    assert found[f"{base}Interval"] in f"{hits}"
    assert found[f"{base}Interval"].startswith("[")
    assert found[f"{base}N"] == "4"
    assert found[f"{base}Percent"] == f"{hits:%}".replace("%", r"\%")
    assert found["qStarfishShift"] == r"\ensuremath{-}0.500 rad"
    assert "qStarfishShiftPercent" not in found


def test_verdicts_are_macros_too(report):
    assert macros(numbers_tex(report))["qClaimTriangleVerdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("name", "macro"),
    [
        ("starfish.lossAt.0.05", "qStarfishLossAtZeroPointZeroFive"),
        ("dense_bias.n=3", "qDenseBiasNThree"),
        ("a.shift.-2", "qAShiftMinusTwo"),
    ],
)
def test_macro_names_hold_letters_only(name, macro):
    assert macro_name(name) == macro


def test_names_that_differ_in_signs_only_get_different_macros():
    one, two = Quantity(1.0), Quantity(2.0)
    found = macros(
        numbers_tex(Report("full", quantities={"a.b_c": one, "a.b-c": two, "a.b.c": one, "a.b.c.value": two}))
    )
    assert len({name for name in found if not name.endswith("Percent")}) >= 8


def test_the_key_of_these_files_changes_with_all_that_they_are_made_from(report):
    figure, claim = next(iter(report.figures.values())), next(iter(report.claims.values()))
    others = [
        (replace(report, figures=report.figures | {figure.id: replace(figure, number=figure.number + 1)}), BOOK, "one"),
        (replace(report, claims=report.claims | {claim.id: replace(claim, margin=0.25)}), BOOK, "one"),
        (report, replace(BOOK, version="2"), "one"),
        (report, BOOK, "two"),
    ]
    keys = [key_of(*each) for each in [(report, BOOK, "one"), *others]]
    assert len(set(keys)) == len(keys)
    assert key_of(replace(report), BOOK, "one") == keys[0]
