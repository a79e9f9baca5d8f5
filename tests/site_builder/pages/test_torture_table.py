"""The page Method shows what `make torture` wrote, or that it has not been run."""

import json

from site_builder.citing.publication import Publication
from site_builder.pages.macros import Blocks, Macros
from site_builder.pages.page_files import Page


def shown(report, root) -> str:
    blocks = Blocks(report, (), Publication("A report", ("Somebody",)), {}, root=root)
    return Macros(blocks, Page("method.md", "")).torture()


def test_each_kind_of_trial_has_a_row_and_date_and_machine_are_told(fake_report, tmp_path):
    (tmp_path / "docs").mkdir()
    when = {"date": "2026-01-02", "machine": "A processor"}
    kinds = [
        {"name": "kills <at> random", "passed": 99, "trials": 100, "wrong": ["one"], **when},
        {"name": "pairs", "passed": 10, "trials": 10, "wrong": [], **when},
    ]
    about = {"kinds": kinds}
    (tmp_path / "docs" / "torture.json").write_text(json.dumps(about))
    html = shown(fake_report, tmp_path)
    assert "kills &lt;at&gt; random" in html
    assert '<td class="number">99</td><td class="number">100</td>' in html
    assert "Run on 2026-01-02 on: A processor." in html


def test_without_a_campaign_the_page_says_so(fake_report, tmp_path):
    assert "has not been run yet" in shown(fake_report, tmp_path)
