"""The presets of the live toy model are the settings and recipes of the experiments whose census stands beside them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from experiments.core.first_run import CONVERGED, READERS, SAMPLES, STEPS_PER_EPOCH
from experiments.core.training.specification import Recipe
from experiments.correlation import coupled_sets
from experiments.first_runs import starfish, triangle, two_directions
from experiments.geometry import deformation, plane
from experiments.geometry.shared.census_config import CensusConfig

LIVE = tomllib.loads((Path(__file__).parents[2] / "docs" / "live.toml").read_text("utf-8"))
PRESETS = {preset["statement"]: preset for preset in LIVE["preset"]}


def told(recipe: Recipe, bias: float = 0, samples: int = 0) -> dict[str, Any]:
    assert (recipe.warmup, recipe.weight_decay, recipe.beta1, recipe.beta2, recipe.epsilon) == (0, 0, 0.9, 0.999, 1e-8)
    return {
        "steps": recipe.steps, "batch": recipe.batch, "rate": recipe.learning_rate, "schedule": recipe.schedule,
        "start": recipe.start, "bias": bias, "samples": samples,
    }  # fmt: skip


def fits(config: Any) -> Recipe:
    return Recipe(config.steps, config.batch, config.learning_rate, schedule="cosine")


RECIPES = {
    "reader": (READERS, 0, SAMPLES),
    "converged": (CONVERGED, 0, 0),
    "census": (CensusConfig().recipe, 0, 0),
    "deformation": (fits(deformation.Config()), 0.5, 0),  # pentagon_fits.train_fits
    "coupled": (fits(coupled_sets.Config()), 0.5, 0),  # coupled_training.train_coupled
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_that_of_its_experiment(name: str) -> None:
    found = {key: value for key, value in LIVE["recipe"][name].items() if key != "label"}
    assert found == told(*RECIPES[name])


def test_there_are_no_other_recipes_and_the_readers_length_is_whole_epochs() -> None:
    assert set(LIVE["recipe"]) == set(RECIPES)
    assert READERS.steps == starfish.Config().epochs * STEPS_PER_EPOCH


SETTINGS = {
    "A1": {"n": starfish.FEATURES, "p": starfish.Config().readers_p, "recipe": "reader"},
    "A4": {"n": two_directions.FEATURES, "p": two_directions.Config().common_p, "recipe": "reader"},
    "A5": {"n": triangle.FEATURES, "p": triangle.Config().rare_p, "recipe": "reader"},
    "C2": {"n": plane.Config().features, "p": 0.3, "recipe": "census", "seeds": 32},
    "C9": {"n": 5, "p": deformation.Config().baselines[0], "ratio": 0.2, "recipe": "deformation"},
    "C10": {"n": 4, "p": 0.1, "coupling": "together", "recipe": "coupled"},
}


@pytest.mark.parametrize("statement", SETTINGS)
def test_a_preset_is_a_cell_of_its_experiment(statement: str) -> None:
    assert PRESETS[statement]["settings"] == {"d": 2} | SETTINGS[statement]


def test_presets_lie_on_the_grids_of_their_experiments() -> None:
    assert set(PRESETS) == set(SETTINGS)
    assert SETTINGS["C2"]["p"] in plane.Config().p
    assert SETTINGS["C9"]["ratio"] in deformation.Config().ratios
    assert SETTINGS["C10"]["p"] in coupled_sets.Config().densities
    assert SETTINGS["A1"]["p"] in starfish.Config().p
    assert SETTINGS["A5"]["p"] in triangle.Config().p
    assert SETTINGS["A4"]["p"] in two_directions.Config().p
