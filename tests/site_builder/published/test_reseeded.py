"""Published results beside runs with other seeds: which verdicts are kept, and which intervals hold."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder import reseeding
from site_builder.base.options import Options
from site_builder.build import with_published
from site_builder.discovery.registry import discover
from site_builder.published import reseeded
from site_builder.published.calibration import expected_outside
from site_builder.published.history import read_history
from site_builder.published.reseeded import FORMAT, OtherRun, Reseeded
from site_builder.published.results import load
from site_builder.published.shipping import ship
from site_builder.reseeding import OFTEN, SELDOM, STEP, how_often, reseed
from site_builder.site.outputs import calibration_json, robustness_json
from site_builder.store.records import Bounds, ReseededClaim, Robustness

SINE = "experiments/waves/sine.py"
COSINE = "experiments/waves/cosine.py"
DRIFTING = ("exact(wave.mean())", f"exact(wave.mean() + (1.0 if config.seed == {2 * STEP} else 0.0))")
"""A mean that another seed moves: the second further run refutes the claim."""

CAMPAIGN = """
import sys
from pathlib import Path
from site_builder import reseeding
from site_builder.base.console import Lines
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.running import workers

if __name__ == "__main__":
    workers.WORTH_WORKERS = 1
    print(reseeding.reseed(Project(Path.cwd()), Options(jobs=2), Lines(), 2))
"""


@pytest.fixture
def shipped(tiny, monkeypatch):
    """The tiny report with its results published; the verdict of the sine hangs on the seed."""
    monkeypatch.delenv("NATIVE", raising=False)
    tiny.edit(SINE, *DRIFTING)
    ship(tiny.project, discover(tiny.project.experiments), tiny.gather())
    tiny.heard.runs.clear()
    return tiny


def again(tiny, times=None, **options):
    return reseed(tiny.project, Options(**options), tiny.heard, times)


def shown(tiny) -> Robustness:
    found = with_published(tiny.project, tiny.gather(compute=False, shipped=True), tiny.heard).robustness
    assert found is not None
    return found


def test_a_verdict_that_hangs_on_the_seed_is_found(shipped):
    assert again(shipped, 3, only="sine") == []
    (claim,) = shown(shipped).claims
    assert claim.verdicts == (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.SUPPORTED)
    assert (claim.kept, shown(shipped).flipped) == (2, (claim,))
    (record,) = robustness_json(shown(shipped))["claims"]
    assert (record["id"], record["reseeded"], record["kept"]) == ("sine-mean-is-zero", 3, 2)


def test_publishing_again_keeps_what_the_run_itself_says_beside_what_other_seeds_say(shipped):
    again(shipped, 3, only="sine")
    before = load(shipped.project).runs["waves.sine"].claims["sine-mean-is-zero"]
    report = with_published(shipped.project, shipped.gather(), shipped.heard)
    assert report.claims["sine-mean-is-zero"].verdict is Verdict.INCONCLUSIVE
    ship(shipped.project, discover(shipped.project.experiments), report)
    assert load(shipped.project).runs["waves.sine"].claims["sine-mean-is-zero"] == before
    repeated = with_published(shipped.project, shipped.gather(), shipped.heard)
    assert repeated.reproduction is not None
    assert repeated.reproduction.verdicts_agree == len(repeated.reproduction.claims)


def test_further_runs_are_stored_and_run_once(shipped):
    again(shipped, 2, only="sine")
    assert shipped.heard.runs == ["waves.sine"] * 2
    again(shipped, 3, only="sine")
    assert shipped.heard.runs == ["waves.sine"] * 3
    assert [run.seed_raised_by for run in reseeded.load(shipped.project)[0]["waves.sine"].runs] == [
        STEP, 2 * STEP, 3 * STEP,
    ]  # fmt: skip


def test_what_another_machine_ran_is_kept_and_not_run_again(shipped):
    again(shipped, 2, only="sine")
    first = reseeded.load(shipped.project)[0]["waves.sine"].runs
    shutil.rmtree(shipped.project.build)
    shipped.heard.runs.clear()
    again(shipped, 3, only="sine")
    assert shipped.heard.runs == ["waves.sine"]
    there = reseeded.load(shipped.project)[0]["waves.sine"].runs
    assert there[:2] == first
    assert [run.seed_raised_by for run in there] == [STEP, 2 * STEP, 3 * STEP]


def test_what_older_code_gave_is_not_mixed_with_what_the_present_code_gives(shipped):
    again(shipped, 2, only="sine")
    shipped.edit(SINE, "exact(wave.mean() +", "exact(wave.mean() + 1e-9 +")
    ship(shipped.project, discover(shipped.project.experiments), shipped.gather())
    again(shipped, 1, only="sine")
    assert [run.seed_raised_by for run in reseeded.load(shipped.project)[0]["waves.sine"].runs] == [STEP]


def test_what_one_round_writes_stops_no_process_of_the_next(shipped, clean_environment):
    done = subprocess.run(
        [sys.executable, "-c", CAMPAIGN],
        cwd=shipped.root,
        env=clean_environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert [len(each.runs) for each in reseeded.load(shipped.project)[0].values()] == [2, 2]


def test_fewer_further_runs_asked_for_later_keep_what_there_is(shipped):
    again(shipped, 3, only="sine")
    again(shipped, 1, only="sine")
    assert len(reseeded.load(shipped.project)[0]["waves.sine"].runs) == 3


def test_short_experiments_run_more_often_than_long_ones():
    assert (how_often(59.0), how_often(61.0)) == (OFTEN, SELDOM)


def test_what_older_code_gave_is_left_out_and_named(shipped):
    again(shipped, 1, only="sine")
    shipped.edit(SINE, "exact(wave.mean() +", "exact(wave.mean() + 1e-9 +")
    ship(shipped.project, discover(shipped.project.experiments), shipped.gather())
    assert shown(shipped).claims == ()
    assert shown(shipped).left_out == ("waves.sine",)
    again(shipped, 1, only="sine")
    assert shown(shipped).left_out == ()


def test_code_that_is_newer_than_its_published_result_is_not_run_again(shipped):
    shipped.edit(SINE, "    wave = signals", "    config = config\n    wave = signals")
    assert again(shipped, 1, only="sine") == []
    assert shipped.heard.runs == []


def broken_off(tiny, monkeypatch, round: int) -> None:
    """Break a campaign off in one of its rounds, once the sine is done and while the cosine fails."""

    def interrupted(*args):
        raise KeyboardInterrupt

    tiny.edit(COSINE, "    return Result", f"    1 / (config.seed - {round * STEP})\n    return Result")
    ship(tiny.project, discover(tiny.project.experiments), tiny.gather())
    monkeypatch.setattr(reseeding, "told", interrupted)
    monkeypatch.setattr(reseeding, "longest_first", lambda jobs: sorted(jobs, key=lambda job: job.name, reverse=True))
    with pytest.raises(KeyboardInterrupt):
        again(tiny, round)


def test_what_is_done_is_written_although_the_campaign_is_broken_off(shipped, monkeypatch):
    broken_off(shipped, monkeypatch, 1)
    assert list(reseeded.load(shipped.project)[0]) == ["waves.sine"]


def test_what_a_campaign_changed_is_recorded_although_it_is_broken_off(shipped, monkeypatch):
    broken_off(shipped, monkeypatch, 2)
    latest = read_history(shipped.project)[0]
    assert [each.claim for each in latest.changes if each.after is Verdict.INCONCLUSIVE] == ["sine-mean-is-zero"]


def test_a_run_that_fails_with_another_seed_is_a_problem_and_keeps_the_others(shipped):
    shipped.edit(SINE, "    wave = signals", f"    1 / (config.seed - {STEP})\n    wave = signals")
    ship(shipped.project, discover(shipped.project.experiments), shipped.gather())
    (problem,) = again(shipped, 2, only="sine")
    assert problem.where == SINE
    assert [run.seed_raised_by for run in reseeded.load(shipped.project)[0]["waves.sine"].runs] == [2 * STEP]


def test_nothing_published_is_one_sentence(tiny):
    with pytest.raises(ReportError, match="no results are published"):
        again(tiny)


@pytest.mark.parametrize("content", ["[", "{}", json.dumps({"format": FORMAT + 1, "code": "", "runs": []})])
def test_a_damaged_file_is_said_and_left_out(shipped, content):
    again(shipped, 1, only="sine")
    (shipped.project.reseeded / "waves.sine.json").write_text(content)
    assert shown(shipped).claims == ()
    (sentence,) = [each for each in shipped.heard.sentences if each.startswith("Left out")]
    assert "waves.sine.json cannot be read" in sentence
    again(shipped, 1, only="sine")
    assert len(shown(shipped).claims) == 1


def test_parts_add_up_their_experiments(shipped):
    numbers = {"sine.x": Quantity(1.0, 0.5, 1.5)}
    found = load(shipped.project)
    runs = {id: replace(run, numbers=numbers) for id, run in found.runs.items()}
    other = OtherRun(STEP, {}, {"sine.x": Bounds(9.0, 8.0, 9.5)})
    report = shipped.gather(compute=False, shipped=True)
    both = {id: Reseeded(FORMAT, run.code, (other, other)) for id, run in runs.items()}
    result = reseeded.robustness(report, replace(found, runs=runs), both)
    (part,) = calibration_json(result)["parts"]
    # Of the three runs of each of two experiments, two gave the same.
    counts = {"part": "waves", "intervals": 12, "disjoint": 8, "outside": 8, "constant": 0, "given": 0}
    share = {"expected": pytest.approx(12 * expected_outside(Quantity(1.0, 0.5, 1.5))), "low": 0.0, "high": 1.0}
    assert part == counts | share


def test_shipping_again_keeps_the_further_runs(shipped):
    again(shipped, 1, only="sine")
    shutil.rmtree(shipped.project.build)
    ship(shipped.project, discover(shipped.project.experiments), shipped.gather())
    assert len(shown(shipped).claims) == 1


def test_a_claim_that_other_seeds_decide_otherwise_is_published_as_inconclusive(shipped):
    again(shipped, 3, only="sine")
    report = with_published(shipped.project, shipped.gather(), shipped.heard)
    claim = report.claims["sine-mean-is-zero"]
    assert (claim.by_criterion, claim.verdict) == (Verdict.SUPPORTED, Verdict.INCONCLUSIVE)
    assert claim.published is Verdict.INCONCLUSIVE
    assert report.reproduction is not None
    assert report.reproduction.verdicts_agree == len(report.reproduction.claims)


def test_a_claim_that_other_seeds_decide_alike_stands(shipped):
    again(shipped, 1, only="sine")
    claim = with_published(shipped.project, shipped.gather(), shipped.heard).claims["sine-mean-is-zero"]
    assert (claim.verdict, claim.unsteady) == (Verdict.SUPPORTED, False)


def test_one_other_verdict_in_twenty_is_borne():
    claim = ReseededClaim("a", "A", Verdict.SUPPORTED, 9.0, (Verdict.SUPPORTED,) * 19 + (Verdict.MIXED,))
    assert not claim.is_unsteady
    assert replace(claim, verdicts=claim.verdicts[1:]).is_unsteady


def test_other_code_that_gives_the_same_bytes_keeps_its_further_runs(shipped):
    again(shipped, 3, only="sine")
    shipped.edit(SINE, "    wave = signals", "    config = config\n    wave = signals")
    ship(shipped.project, discover(shipped.project.experiments), shipped.gather())
    assert len(shown(shipped).claims) == 1
    assert shown(shipped).left_out == ()


def test_narrow_margins_are_listed_narrowest_first(shipped):
    report = shipped.gather(compute=False, shipped=True)
    claim = report.claims["sine-mean-is-zero"]
    margins = {"far": 2.0, "near": 1.2, "nearer": 0.3, "none": None}
    claims = {id: replace(claim, id=id, margin=margin) for id, margin in margins.items()}
    assert [each.id for each in replace(report, claims=claims).narrow] == ["nearer", "near"]
