"""The experiment's numbers are those of its courses."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.metrics import gram
from experiments.core.quantities import Quantity
from experiments.dynamics import transformation
from experiments.dynamics.shared.set_stages import STAGES
from experiments.dynamics.transformation import Config


@pytest.fixture(scope="module")
def result() -> transformation.Result:
    return transformation.run(Config(seeds=4, steps=3000, batch=128, snapshots=60), "cpu")


def test_paths_are_counted_completely(result: transformation.Result) -> None:
    assert result.counts.sum() == 4
    assert (np.diff(result.counts) <= 0).all()
    assert len(set(result.paths)) == len(result.paths) == len(result.counts)


def test_shown_models_have_the_singular_values_of_their_seed(result: transformation.Result) -> None:
    for seed, W in zip(result.shown, result.W, strict=True):
        np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), result.singular[seed], atol=1e-5)


def test_the_octahedron_number_is_that_of_the_last_stage(result: transformation.Result) -> None:
    share = (result.stage[:, -1] == STAGES.index("octahedron")).mean()
    assert result.numbers.octahedron.value == share


def test_the_view_moves_through_the_shown_course(result: transformation.Result) -> None:
    frames = transformation.move_octahedron(result)
    cloud = frames.panels[0]
    np.testing.assert_allclose(gram(cloud.positions[-1].T), gram(result.W[0, -1]), atol=1e-5)
    assert frames.captions[-1].startswith("step 3,000")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.2, 0.4, Verdict.SUPPORTED), (0.92, 0.99, Verdict.REFUTED), (0.85, 0.95, Verdict.INCONCLUSIVE)],
)
def test_courses_differ_unless_nearly_all_are_the_same(low: float, high: float, verdict: Verdict) -> None:
    criterion = transformation.experiment.claims["transformation-several"].criterion
    assert criterion.verdict(Evidence(most_frequent=Quantity((low + high) / 2, low, high))) is verdict
