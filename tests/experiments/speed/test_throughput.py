import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.errors import ReportError
from experiments.speed import throughput

SIZE = {"instances": 10, "features": 5, "hidden": 2, "batch": 1024, "multiply_adds": 6e8, "draws": 4e8}


def section(required: float = 10, **changes: Any) -> dict[str, Any]:
    row = SIZE | {"plain": [30.0, 20.0, 28.0], "ours": [1.0, 2.0, 2.0], "required": required, "aim": 40}
    point = SIZE | {"plain": [], "ours": [2.0, 1.0, 4.0]}
    crowd = point | {"instances": 40, "ours": [6.0, 8.0, 7.0]}
    return {
        "machine": "a machine",
        "threads": 2,
        "date": "2026-01-01",
        "ceilings": {"multiply_adds": 6e8, "draws": 4e8},
        "rows": [row],
        "instances": [point, crowd],
        "features": [row],
        "memory": [SIZE | {"bytes": 5e8, "allowed": 1e9}],
        "first_call": {"compiling": 9.0, "from_disk": 0.5},
    } | changes


def verdict_of(result: throughput.Result) -> Verdict:
    criterion = throughput.experiment.claims["speed-required"].criterion
    return criterion.verdict(throughput.ratios_over_required(result))


@pytest.fixture
def result_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(**sections: Any) -> throughput.Result:
        path = tmp_path / "measured.json"
        path.write_text(json.dumps(sections))
        monkeypatch.setattr(throughput, "MEASURED", path)
        return throughput.run(throughput.Config(), "cpu")

    return make


def test_a_ratio_is_that_of_medians_with_the_interval_of_the_pairs(result_of: Any) -> None:
    ratio = result_of(cpu=section()).ratio["10x5x2x1024"]
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (14, 10, 30, 3)


def test_the_ceiling_adds_the_least_time_of_products_and_of_draws(result_of: Any) -> None:
    assert result_of(cpu=section()).ceiling["10x5x2x1024"].value == pytest.approx(2 / 2)


def test_throughput_counts_the_samples_of_all_models(result_of: Any) -> None:
    result = result_of(cpu=section())
    np.testing.assert_allclose(result.counts_ours[0], np.array([1 / 4, 1 / 2, 1]) * 10 * 1024)
    assert np.isnan(result.counts_plain).all()
    assert result.crowding.value == 1


@pytest.mark.parametrize(("required", "verdict"), [(9, Verdict.SUPPORTED), (20, Verdict.MIXED), (31, Verdict.REFUTED)])
def test_the_requirement_is_held_against_the_whole_interval(result_of: Any, required: float, verdict: Verdict) -> None:
    assert verdict_of(result_of(cpu=section(required))) == verdict


def test_rows_of_a_gpu_join_without_touching_the_verdict_on_the_cpu(result_of: Any) -> None:
    result = result_of(cpu=section(9.9), cuda=section(required=1000))
    assert list(result.ratio) == ["10x5x2x1024", "gpu 10x5x2x1024"]
    assert verdict_of(result) == Verdict.SUPPORTED
    assert len(throughput.draw_over_instances(result).axes[0].lines) == 2


def test_without_a_measurement_it_says_how_to_make_one(result_of: Any) -> None:
    with pytest.raises(ReportError, match="--device cpu"):
        result_of(cuda=section())


def test_the_committed_measurement_can_be_read_and_drawn() -> None:
    result = throughput.run(throughput.Config(), "cpu")
    for figure in throughput.experiment.figures.values():
        assert figure.draw(result).axes
    for claim in throughput.experiment.claims.values():
        found = claim.decide(result)
        assert (found.statistic if isinstance(found, Evidence) else found).value > 0
