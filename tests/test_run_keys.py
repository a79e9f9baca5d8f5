"""Whatever an experiment executes is in its run key: read off quick runs by an independent tracer."""

from pathlib import Path

import pytest

from experiments.core.threads import undisturbed
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import load
from site_builder.results.runs import config_of, key_of, sources_of
from tests.torture.tracer import executed, outside

ROOT = Path(__file__).parents[1]
QUICK = Options("quick")


@pytest.fixture(scope="module")
def sources():
    return sources_of(Project(ROOT))


@pytest.mark.parametrize(
    "id",
    ["correlation.one_pair", "linear_representation.nonlinear_code", "mixtures.forward_time", "speed.throughput"],
)
def test_every_function_that_a_run_executes_is_in_its_key(sources, id):
    experiment = load(f"experiments.{id}", id)
    key = key_of(Project(ROOT), sources, experiment, QUICK)
    symbols = {name.removeprefix("code ") for name in key.parts if name.startswith("code ")}

    config = config_of(experiment, QUICK)
    with undisturbed():
        ran = executed(lambda: experiment.compute(config, "cpu"), ROOT / "experiments")
    assert len(ran) >= 3, "the tracer saw the run"
    assert outside(ran, symbols, ROOT) == []
