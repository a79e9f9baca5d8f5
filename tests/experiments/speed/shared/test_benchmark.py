import json
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from experiments.core.training.reference import loss
from experiments.speed.shared import measurement as module
from experiments.speed.shared import report, shapes
from experiments.speed.shared.plain import PlainRecipe, densities, importances, model_of
from experiments.speed.shared.shapes import Shape, Target

TINY = Shape(3, 4, 2, 16)


@pytest.fixture(scope="module")
def section() -> dict[str, object]:
    """A whole measurement, of next to nothing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "SECONDS", 1e-4)
        monkeypatch.setattr(module.ceilings, "MATRIX", {"cpu": (16,)})
        monkeypatch.setattr(module.ceilings, "DRAWS", {"cpu": 1024})
        monkeypatch.setattr(shapes, "TARGETS", {"cpu": (Target(TINY, 2, 1e9),)})
        monkeypatch.setattr(shapes, "COUNTS", (1, 2))
        monkeypatch.setattr(shapes, "PLAIN_COUNT", 1)
        monkeypatch.setattr(shapes, "SIZES", ((2, 1),))
        monkeypatch.setattr(shapes, "MEMORY", ((TINY, 1e9),))
        monkeypatch.setattr(module.probe, "_probe", lambda *given: {"first": 2.0, "second": 0.1, "bytes": 5e8})
        monkeypatch.setattr(module, "train_ours", lambda shape, device, steps: PlainRecipe(shape, device).train(steps))
        return module.measure(
            "cpu",
            {"machine": "here", "threads": 1, "commit": "abc", "dirty": False, "versions": {}},
            lambda what, fraction: None,
        )


@pytest.mark.parametrize("shape", [TINY, replace(TINY, two_layer=True)], ids=["tied", "two layers"])
def test_the_plain_recipe_has_the_loss_of_the_reference(shape: Shape) -> None:
    recipe = PlainRecipe(shape, "cpu")
    x = recipe.batch()
    assert (x.min() < 0) == shape.two_layer
    weights = {"W": recipe.W.transpose(1, 2), "b": recipe.b, "W_out": recipe.W_out}
    expected = loss(model_of(shape), weights, recipe.importance.expand(3, -1), x.transpose(0, 1)).sum()
    torch.testing.assert_close(recipe.loss(x), expected)


@pytest.mark.parametrize("two_layer", [False, True])
def test_the_plain_recipe_learns(two_layer: bool) -> None:
    torch.manual_seed(0)
    recipe = PlainRecipe(Shape(3, 4, 2, 256, two_layer), "cpu")
    x = recipe.batch()
    before = recipe.loss(x).item()
    recipe.train(60)
    assert recipe.loss(x).item() < 0.99 * before


def test_densities_and_importances_are_the_published_ones() -> None:
    np.testing.assert_allclose(densities(TINY).ravel(), [1, 20**-0.5, 0.05])
    np.testing.assert_allclose(importances(TINY), [1, 0.9, 0.81, 0.729])


def test_work_is_counted_as_five_products_and_one_draw_per_feature() -> None:
    assert TINY.multiply_adds == 5 * 3 * 16 * 4 * 2
    assert TINY.draws == 3 * 16 * 4


def test_both_sides_take_turns() -> None:
    turns: list[str] = []
    module.alternating(lambda steps: turns.append("plain"), lambda steps: turns.append("ours"), 3, 1e-9)
    assert turns[-6:] == ["plain", "ours"] * 3


@pytest.mark.parametrize(("start", "each", "expected"), [(0.0, 0.1, 10), (0.5, 0.1, 50), (0.0, 1e-6, 10_000)])
def test_a_timed_stretch_outweighs_the_cost_of_starting(
    monkeypatch: pytest.MonkeyPatch, start: float, each: float, expected: int
) -> None:
    monkeypatch.setattr(module, "seconds_per_step", lambda work, steps: start / steps + each)
    steps = module.steps_that_last(1.0, lambda steps: None)
    assert steps == pytest.approx(expected, rel=0.3)


def test_a_measurement_holds_every_part(section: dict[str, list[dict[str, object]]]) -> None:
    assert len(section["rows"][0]["ours"]) == module.REPEATS
    assert [row["instances"] for row in section["instances"]] == [1, 2]
    assert section["instances"][1]["plain"] == []
    assert section["first_call"] == {"compiling": 2.0, "from_disk": 2.0, "afterwards": 0.1}
    assert section["ceilings"]["multiply_adds"] > 0
    assert section["ceilings"]["draws"] > 0


def test_the_table_says_which_requirement_is_missed(section: dict[str, list[dict[str, object]]]) -> None:
    section = deepcopy(section)  # others read it too
    section["rows"][0] |= {"plain": [3.0, 1.0, 2.0], "ours": [1.0, 4.0, 1.0]}
    assert "2.0" in report.table(section)
    assert "missed" not in report.table(section)
    section["rows"][0]["required"] = 2.1
    assert "2.0 missed" in report.table(section)


def test_a_section_leaves_the_others_of_the_file_alone() -> None:
    first = report.merged("", "cpu", {"date": "then"})
    both = report.merged(first, "cuda", {"date": "now"})
    assert json.loads(both) == {"cpu": {"date": "then"}, "cuda": {"date": "now"}}


def test_a_fresh_process_tells_its_own_memory_and_first_call() -> None:
    held = np.ones(300_000_000, np.int8)  # memory of this process is not the other's
    found = module.probe._probe(Shape(2, 3, 1, 16), "cpu", 2, {})
    assert 5e7 < found["bytes"] < module.probe._most_resident()
    assert 0 < found["second"] < 60
    assert held.all()
