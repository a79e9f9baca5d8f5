"""An experiment registers what it defines and refuses what would be published incomplete."""

from dataclasses import dataclass

import pytest

from experiments.core.contract import Experiment
from experiments.core.criteria import above
from experiments.core.errors import ReportError, did_you_mean


@dataclass(frozen=True)
class Config:
    seed: int = 0
    seeds: int = 64


@pytest.fixture
def experiment() -> Experiment:
    return Experiment("experiments.part.name", title="A name", config=Config(), quick=Config(seeds=2))


def test_the_id_is_the_module_below_experiments(experiment):
    assert experiment.id == "part.name"


def test_large_falls_back_to_the_published_configuration(experiment):
    assert experiment.at("large") == experiment.at("full") == Config()
    assert experiment.at("quick") == Config(seeds=2)


def test_a_figure_without_alt_text_is_refused(experiment):
    with pytest.raises(ReportError, match=r"part\.name: figure 'f' needs an alt text"):
        experiment.figure("f", title="F", caption="A finding.", alt=" ")


def test_a_figure_id_is_used_once(experiment):
    register = experiment.figure("f", title="F", caption="A finding.", alt="A line.")
    register(lambda result: None)
    with pytest.raises(ReportError, match="two figures are called 'f'"):
        experiment.figure("f", title="F", caption="A finding.", alt="A line.")


def test_a_view_joins_the_figure_above_it_once(experiment):
    def view(result):
        return None

    experiment.figure("f", title="F", caption="A finding.", alt="A line.")(lambda result: None)
    assert experiment.figures["f"].view is None
    assert experiment.view("f")(view) is view
    assert experiment.figures["f"].view is view
    with pytest.raises(ReportError, match="figure 'f' has two views"):
        experiment.view("f")
    with pytest.raises(ReportError, match="belongs to the figure 'g', which is not there"):
        experiment.view("g")


def test_a_claim_id_is_used_once(experiment):
    experiment.claim("c", title="C", test="t", criterion=above(0.5))(lambda result: None)
    with pytest.raises(ReportError, match="two claims are called 'c'"):
        experiment.claim("c", title="C", test="t", criterion=above(0.5))


def test_decorators_return_the_function_they_register(experiment):
    def run(config, device):
        return None

    assert experiment.run(run) is run
    assert experiment.compute is run


def test_a_misspelt_name_is_answered_with_the_nearest():
    assert did_you_mean("geometry.pairz", ["geometry.pairs", "dynamics.jumps"]) == "; did you mean 'geometry.pairs'?"
    assert did_you_mean("xyz", ["geometry.pairs"]) == ""
