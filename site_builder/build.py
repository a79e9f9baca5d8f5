"""The whole program in one function: discover, run, draw, decide, render, build the site, check it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from site_builder.base.console import Watcher
from site_builder.base.environment import usable_cores
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import discover
from site_builder.keys import build_stamp as freshness
from site_builder.keys.build_stamp import State
from site_builder.keys.run_keys import inputs_of
from site_builder.pipeline import gather
from site_builder.published import reseeded
from site_builder.published.history import read_history
from site_builder.published.reproduction import PUBLISHED_SCALES, compared, differences
from site_builder.published.results import load
from site_builder.results.runs import result_digest
from site_builder.running.aside import Aside, standing_by
from site_builder.running.jobs import Job, NotebookJob
from site_builder.running.workers import start as start_workers
from site_builder.site import kept_pages
from site_builder.site.mkdocs_site import build_site, import_engine
from site_builder.store.entries import clear_unfinished, locked, said_by_disk, swap, temporary_beside
from site_builder.store.records import Problem, Report


def build(
    project: Project,
    options: Options,
    watcher: Watcher,
    state: State | None = None,
    *,
    draft: bool = False,
    strict: bool = False,
) -> Report:
    """Build the report and return it with every problem met.

    `state` is that of `state_of`, where it was asked before. What differs from the published run is told and marked;
    it is a problem only where `strict`.

    Where an experiment failed or was not asked for, the site shows a card. A problem of the pages leaves the site
    of the last build as it is, except in a draft, which goes to `build/preview` and is never published.
    """
    state = state or freshness.state_of(project, options)
    machinery = kept_pages.machinery_of(state["environment"])
    kept = freshness.kept_report(project, state)
    if not (kept or project.figures.is_dir()) and usable_cores() > 1:
        start_workers()  # everything is to be drawn, and they need seconds to import what they draw with
    wrong = [] if draft or kept else misspelled(project, options)  # the rendering of a kept report sees the same
    if wrong:
        return Report(options.scale, problems=tuple(wrong))
    report, inputs = kept or gathered(project, options, state, watcher, notebooks(project), import_engine)
    if strict and report.scale in PUBLISHED_SCALES:
        report = replace(report, problems=(*report.problems, *differences(report)))
    waiting = "another report is building the site; waiting"
    with locked(project.build / ".site.lock", lambda: watcher.said(waiting)), standing_by(import_engine) as helper:
        code = f"{state['code']} {state['environment']}"
        report, pages_are_right = rendered(project, report, draft=draft, code=code)
        if pages_are_right or draft:
            site = project.preview if draft else project.site
            report, files = with_site(project, report, site, machinery, helper, draft=draft)
        if pages_are_right and not draft:
            freshness.keep_shown(project, report)
        if not report.problems and not draft:
            freshness.mark_finished(project, state, report, inputs, files)
    return report


def misspelled(project: Project, options: Options) -> list[Problem]:
    """Return the names on pages and in captions that no experiment declares, before anything runs."""
    from site_builder.pages.page_check import undeclared

    return undeclared(discover(project.experiments), options.scale, project.docs)


def notebooks(project: Project) -> list[Job]:
    """Return the work of executing notebooks, which pages would wait for."""
    from site_builder.site.notebook import not_executed

    sources = not_executed(project.docs / "notebooks", project.build / "notebooks", project.root)
    return [NotebookJob(project, source) for source in sources]


def gathered(
    project: Project,
    options: Options,
    state: State,
    watcher: Watcher,
    beside: Sequence[Job] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Report, list[Path]]:
    """Discover, run, draw and decide, unless nothing that a report rests on changed; return also the input files.

    `beside` and `meanwhile` are what else is done if anything is run or drawn (see `gather`).
    """
    kept = freshness.kept_report(project, state)
    if kept:
        return kept
    registry = discover(project.experiments)
    report = gather(project, registry, options, watcher, state["code"], beside, meanwhile)
    report = with_published(project, report, watcher)
    inputs = [path for each in registry.experiments.values() for path in inputs_of(each, project.root)]
    if not report.problems:
        freshness.keep_report(project, state, report, inputs)
    return report, inputs


def with_published(project: Project, report: Report, watcher: Watcher) -> Report:
    """Return the report beside the published results; what is wrong with those is said and stops nothing."""
    published = load(project)
    others, unreadable = reseeded.load(project)
    report, published = reseeded.settled(report, published, reseeded.robustness(report, published, others))
    for sentence in unreadable:
        watcher.said(f"Left out: {sentence}.")
    report = replace(report, revisions=read_history(project))
    if report.shipped:
        return compared(report, published, {})
    for sentence in published.problems:
        watcher.said(f"Not compared: {sentence}.")
    digests = {id: result_digest(project.results / id / run.key[:12]) for id, run in report.runs.items()}
    return compared(report, published, digests)


def rendered(project: Project, report: Report, *, draft: bool, code: str | None = None) -> tuple[Report, bool]:
    """Render the pages; return the report with their problems, and whether there were none.

    With the digest of all code and of what is installed, only what changed is rendered.
    """
    from site_builder.pages.render import render
    from site_builder.site.notebook import execute_all

    before = len(report.problems)
    with said_by_disk(project.pages):
        wrong = execute_all(
            project.docs / "notebooks", project.pages / "notebooks", project.build / "notebooks", project.root
        )
        report = replace(report, problems=(*report.problems, *wrong))
        report = render(report, project.docs, project.pages, draft=draft or bool(report.absent), code=code)
    return report, len(report.problems) == before


def with_site(
    project: Project, report: Report, site: Path, machinery: str, helper: Aside | None = None, *, draft: bool
) -> tuple[Report, dict[str, str]]:
    """Build the site beside its place and put it there.

    Return the report with the site's problems, and the digests of the site's files if it was put there.

    `machinery` is the digest of the code and packages that build it, `helper` a process that may take half of it.
    """
    from site_builder.site.check_site import check
    from site_builder.site.collection_pages import made, write_collections
    from site_builder.site.outputs import key_of, write_outputs
    from site_builder.site.search_entries import index_report

    clear_unfinished(project.build)
    new, files = temporary_beside(site), dict[str, str]()
    with said_by_disk(site):
        try:
            before = kept_pages.earlier(site, kept_pages.frame_of(project.mkdocs, project.pages, machinery))
            problems = build_site(project.mkdocs, project.pages, project.docs, new, before, helper)
            if new.is_dir():
                publication = read_publication(project.root)
                key = key_of(report, publication, machinery)
                for_programs = before.take_over_made(key, new) or write_outputs(report, new, publication)
                index_report(report, new)
                problems += write_collections(report, new, publication.title, before)
                problems += check(new, project.build / "checked.json")
            if new.is_dir() and (draft or not problems):
                freshness.forget_finished(project)
                swap(new, site)
                past_the_engine = made(report, site, publication.title, before.frame) | {key: for_programs}
                files = kept_pages.keep(site, project.pages, before.frame, past_the_engine, problems)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return replace(report, problems=(*report.problems, *problems)), files
