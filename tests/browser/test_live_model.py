"""The toy model of the browser against the report's own: same gradient, training, losses, probabilities, census."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom

from experiments.core.coupling import coupled_sets
from experiments.core.geometry.configurations import PLANE, classify
from experiments.core.geometry.polyhedra import SHAPES
from experiments.core.geometry.recognition import match, recognise
from experiments.core.losses.exact import expected_loss, set_probabilities
from experiments.core.metrics import represented
from experiments.core.plotting import SHAPE_SERIES
from experiments.core.training import reference
from experiments.core.training.specification import Model
from experiments.correlation.shared.coupled_census import (
    OUTCOMES,
    SETTINGS,
    Census,
    Setting,
    outcome_shares,
    side_by_side,
    stands_as_expected,
)
from experiments.correlation.shared.strategies import partner_cosines

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "docs" / "assets" / "js"
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def script(browser: Any) -> Any:
    """A page with the model alone: `script("LiveModel.f(...given)", *given)` returns what JavaScript computes."""
    page = browser.new_page()
    for name in ("live-model", "live-shapes", "live-run", "live-published"):
        page.add_script_tag(path=str(SCRIPTS / f"{name}.js"))

    def run(code: str, *given: Any) -> Any:
        return page.evaluate(f"given => {{ {code} }}", list(given))

    yield run
    page.close()


def settings(**changed: Any) -> dict[str, Any]:
    plain = {"n": 5, "d": 2, "p": 0.1, "decay": 1, "ratio": 1, "coupling": "none", "output": "relu"}
    return plain | {"seeds": 1, "seed": 1} | changed


def as_columns(W: Array) -> list[float]:
    """Return W (hidden, feature) as the browser holds it: three numbers per column."""
    padded = np.zeros((3, W.shape[1]))
    padded[: len(W)] = W
    return [float(value) for value in padded.T.ravel()]


def some_weights(seed: int, count: int, hidden: int, features: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, hidden, features)), generator.normal(0, 0.3, (count, features))


@pytest.mark.parametrize("output", ["relu", "linear"])
@pytest.mark.parametrize(("hidden", "features"), [(1, 2), (2, 5), (3, 10)])
def test_the_gradient_is_that_of_automatic_differentiation(script, output: Any, hidden: int, features: int) -> None:
    (W,), (b,) = some_weights(features, 1, hidden, features)
    generator = np.random.default_rng(1)
    x = generator.random((40, features)) * (generator.random((40, features)) < 0.3)
    importance = 0.8 ** np.arange(features)
    leaves = {"W": torch.tensor(W[None]), "b": torch.tensor(b[None])}
    loss, slopes = reference.gradients(
        Model(features, hidden, output=output), leaves, torch.tensor(importance[None]), torch.tensor(x[None])
    )
    code = "const g = LiveModel.gradient(Float64Array.from(given[0]), Float64Array.from(given[1]), given[2], given[3], "
    found = script(
        code + "given[4]); return [g.loss, [...g.gradW], [...g.gradB]]",
        as_columns(W), b.tolist(), importance.tolist(), output == "relu", x.tolist(),
    )  # fmt: skip
    assert (x.sum(1) == 0).any()  # samples without a feature, which the browser treats apart
    assert found[0] == pytest.approx(float(loss), rel=1e-12)
    assert np.allclose(np.reshape(found[1], (features, 3)).T[:hidden], slopes["W"][0].numpy(), rtol=1e-10, atol=1e-14)
    assert not np.reshape(found[1], (features, 3)).T[hidden:].any()
    assert np.allclose(found[2], slopes["b"][0].numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_training_takes_the_steps_of_adam(script, schedule: str) -> None:
    steps, count = 30, 60
    recipe = {"steps": steps, "batch": count, "rate": 1e-2, "schedule": schedule, "start": "xavier", "bias": 0.5}
    found = script(
        "const s = LiveModel.begin(LiveModel.settled(given[0]), given[1]); const { start, index, value } = s.own[0];"
        "const [W, b] = [[...s.W], [...s.b]]; LiveModel.advance(s, 7); LiveModel.advance(s, 1000);"
        "return [W, b, [...s.W], [...s.b], [...start], [...index], [...value]]",
        settings(p=0.3), recipe | {"samples": count},
    )  # fmt: skip
    W = torch.tensor(np.reshape(found[0], (5, 3)).T[:2].copy(), requires_grad=True)
    b = torch.tensor(found[1], dtype=torch.float64, requires_grad=True)
    x = torch.zeros(count, 5, dtype=torch.float64)
    for s in range(count):
        for entry in range(found[4][s], found[4][s + 1]):
            x[s, found[5][entry]] = found[6][entry]
    optimiser = torch.optim.Adam([W, b], lr=1e-2)
    for step in range(steps):
        factor = 0.5 * (1 + np.cos(np.pi * step / steps)) if schedule == "cosine" else 1.0
        optimiser.param_groups[0]["lr"] = 1e-2 * factor
        optimiser.zero_grad()
        ((x - (x @ W.T @ W + b).relu()) ** 2).mean().backward()
        optimiser.step()
    assert found[1] == [0.15] * 5
    assert np.allclose(np.reshape(found[2], (5, 3)).T[:2], W.detach().numpy(), atol=1e-9)
    assert np.allclose(found[3], b.detach().numpy(), atol=1e-9)


@pytest.mark.parametrize("start", ["normal", "xavier"])
def test_weights_start_with_the_spread_of_the_recipe(script, start: str) -> None:
    recipe = {"steps": 1, "batch": 1, "rate": 1e-3, "schedule": "constant", "start": start, "bias": 0, "samples": 0}
    W = script("return [...LiveModel.begin(given[0], given[1]).W]", settings(n=10, d=3, seeds=64), recipe)
    wanted = 1.0 if start == "normal" else np.sqrt(2 / 13)
    assert np.std(W) == pytest.approx(wanted, rel=0.05)  # of 1920 numbers, whose error is 1.6 %
    assert len(set(W)) == len(W)


def test_sets_of_features_have_the_probabilities_of_the_report(script) -> None:
    chances = "return [...LiveModel.setChances(LiveModel.settled(given[0]))]"
    odd = script(chances, settings(p=0.2, ratio=0.3))
    assert np.allclose(odd, set_probabilities([0.06, 0.2, 0.2, 0.2, 0.2], 5), atol=1e-15)
    for coupling, kind in (("together", "correlated"), ("apart", "anticorrelated")):
        found = script(chances, settings(p=0.2, coupling=coupling))
        assert np.allclose(found, coupled_sets(0.2, 5, ((0, 1), (2, 3)), kind), atol=1e-15)


def test_samples_are_drawn_with_those_probabilities(script) -> None:
    count = 200_000
    found = script(
        "const s = LiveModel.settled(given[0]); const chances = LiveModel.setChances(s);"
        "const drawn = LiveModel.drawSamples(LiveModel.emptySamples(given[1], s.n), LiveModel.aliasTable(chances),"
        " LiveModel.generator(3)); const counts = chances.map(() => 0);"
        "for (let k = 0; k < given[1]; k++) { let m = 0;"
        " for (let e = drawn.start[k]; e < drawn.start[k + 1]; e++) m |= 1 << drawn.index[e]; counts[m]++ }"
        "const values = drawn.value.subarray(0, drawn.start[given[1]]);"
        "return [[...chances], [...counts], values.reduce((a, b) => a + b) / values.length]",
        settings(p=0.3, coupling="apart"), count,
    )  # fmt: skip
    chances, counts = np.array(found[0]), np.array(found[1])
    assert counts.sum() == count
    assert (counts[chances == 0] == 0).all()
    error = np.sqrt(count * chances * (1 - chances))[chances > 0]
    assert (np.abs(counts - count * chances)[chances > 0] < 4.5 * error).all()
    assert found[2] == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("output", ["relu", "linear"])
@pytest.mark.parametrize("coupling", ["none", "together", "apart"])
def test_losses_are_the_exact_ones(script, output: Any, coupling: str) -> None:
    W, b = some_weights(7, 6, 2, 5)
    W[0], b[1] = 0.0, 0.0  # planes that pass nowhere, and through a corner
    chosen = settings(p=0.25, coupling=coupling, decay=0.7)
    kind = "correlated" if coupling == "together" else "anticorrelated"
    chance = coupled_sets(0.25, 5, () if coupling == "none" else ((0, 1), (2, 3)), kind)
    wanted = expected_loss(W, b, sets=chance[None], importance=0.7 ** np.arange(5), output=output).value
    for own, bias, value in zip(W, b, wanted, strict=True):
        found = script(
            "const s = LiveModel.settled(given[0]); return LiveShapes.exactLoss(given[1], given[2],"
            " LiveModel.importances(s), s.output === 'relu', LiveModel.setChances(s))",
            chosen | {"output": output}, as_columns(own), bias.tolist(),
        )  # fmt: skip
        assert found == pytest.approx(value, rel=1e-9)


def test_the_exact_loss_of_ten_features_agrees_where_rare_sets_are_left_out(script) -> None:
    W, b = some_weights(3, 1, 2, 10)
    found = script(
        "const s = LiveModel.settled(given[0]);"
        "return LiveShapes.exactLoss(given[1], given[2], LiveModel.importances(s), true, LiveModel.setChances(s))",
        settings(n=10, p=0.02), as_columns(W[0]), b[0].tolist(),
    )  # fmt: skip
    assert found == pytest.approx(float(expected_loss(W, b, 0.02).value[0]), rel=1e-6)


def test_the_linear_optimum_is_what_the_largest_directions_leave(script) -> None:
    optimum = "return LiveShapes.linearOptimum(LiveModel.settled(given[0]))"
    variance = 0.3 / 3 - 0.3**2 / 4
    assert script(optimum, settings(p=0.3)) == pytest.approx(3 * variance / 5)
    decaying = script(optimum, settings(p=0.3, decay=0.5))
    assert decaying == pytest.approx(variance * (0.25 + 0.125 + 0.0625) / 5)
    assert script(optimum, settings(p=0.3, decay=0.5, coupling="apart")) is None
    for coupling, together in (("together", 0.3), ("apart", 0.0)):
        covariance = np.diag([variance] * 5)
        for i, j in ((0, 1), (2, 3)):
            covariance[i, j] = covariance[j, i] = together / 4 - 0.3**2 / 4
        wanted = np.sort(np.linalg.eigvalsh(covariance))[:3].sum() / 5
        assert script(optimum, settings(p=0.3, coupling=coupling)) == pytest.approx(wanted)


def test_every_shape_of_the_report_is_known_by_the_same_angles(script) -> None:
    found = script(
        "return Object.entries(LiveShapes.SHAPES).map(([d, shapes]) => [d, Object.entries(shapes)"
        ".map(([name, rings]) => [name, LiveShapes.directions(rings)])])"
    )
    for d, shapes in found:
        if d == "1":
            continue  # the report takes no census of one dimension
        wanted = {solid.name: solid for solid in SHAPES[int(d)] if solid.count <= 10}
        assert [name for name, _ in shapes] == list(wanted)
        for name, directions in shapes:
            columns = np.array(directions).T[: int(d)]
            assert match(columns, wanted[name].directions).miss < 0.01, name


def nearly(solid: Any, generator: Any, features: int, spread: float) -> Array:
    """Return a shape turned, renumbered, lengths and angles disturbed, with short columns for the other features."""
    hidden = solid.hidden
    turn = np.linalg.qr(generator.standard_normal((hidden, hidden)))[0]
    columns = turn @ solid.directions + spread * generator.standard_normal((hidden, solid.count))
    columns *= generator.uniform(0.8, 1.3, solid.count)
    rest = 0.2 * generator.standard_normal((hidden, features - solid.count))
    return np.concatenate([columns, rest], axis=1)[:, generator.permutation(features)]


@pytest.mark.parametrize("hidden", [2, 3])
def test_shapes_have_the_names_of_the_report(script, hidden: int) -> None:
    generator = np.random.default_rng(hidden)
    solids = [solid for solid in SHAPES[hidden] if solid.count <= 10]
    spreads = np.repeat([0.01, 0.05, 0.1], 8)
    W = np.stack([nearly(solid, generator, 10, spread) for solid in solids for spread in spreads])
    wanted = recognise(W, solids).name.tolist()
    found = script(
        "return given[0].map(W => LiveShapes.shapeOf(W, given[1]))", [as_columns(each) for each in W], hidden
    )
    assert found == wanted
    assert "other" in wanted
    assert {solid.name for solid in solids} <= set(wanted)
    if hidden == 2:  # the first runs sort angles instead of matching vertices: in the plane it is the same
        named = {shape.name for shape in PLANE}
        assert classify(W).name.tolist() == [name if name in named else "other" for name in found]


def as_census(W: Array, setting: Setting) -> Array:
    """Return the outcome of each model of W (seed, 2, feature) as a published census has it, (seed, outcome)."""
    cosine, whole = partner_cosines(W, setting.pairs), represented(W).all(-1)
    census = Census(
        best=W, best_cosine=cosine, loss=np.zeros(len(W)), expected=stands_as_expected(W, setting),
        orthogonal=np.asarray((np.abs(cosine) < 0.1).all(-1) & whole & (len(setting.pairs) == 2)),
        six=np.asarray(whole & (len(setting.pairs) == 3)), beside=side_by_side(W, setting.pairs),
        merged=np.asarray((cosine > 0.98).any(-1)),
    )  # fmt: skip
    each = census._replace(**{k: v[:, None] for k, v in census._asdict().items() if k not in ("best", "best_cosine")})
    return outcome_shares(each)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_partners_stand_where_the_report_says(script, setting: Setting) -> None:
    generator = np.random.default_rng(5)
    count = 2 * len(setting.pairs)
    steps = generator.choice([0.0, 5.0, 55.0, 60.0, 90.0, 180.0], (400, count)) + generator.normal(0, 1, (400, count))
    turn = np.radians(np.cumsum(steps, axis=1))
    W = np.stack([np.cos(turn), np.sin(turn)], axis=1) * generator.choice(
        [0.3, 1.0, 1.1], (400, 1, count), p=[0.05, 0.5, 0.45]
    )
    coupling = {1.0: "together", -1.0: "apart", 0.0: "none"}[setting.strength]
    found = script(
        "return given[0].map(W => LiveShapes.partnersOf(W, given[1], given[2]))",
        [as_columns(each) for each in W], [list(pair) for pair in setting.pairs], coupling,
    )  # fmt: skip
    assert found == [OUTCOMES[int(k)] for k in as_census(W, setting).argmax(-1)]
    assert len(set(found)) >= 3


def test_shares_differ_by_standard_errors_of_what_both_have_in_common(script) -> None:
    def differ(*counts: int) -> float:
        return float(script("return LiveShapes.difference(...given)", *counts))

    assert differ(20, 64, 80, 256) == pytest.approx(
        0, abs=0.15
    )  # one run more of each moves the smaller sample further
    assert differ(0, 64, 0, 256) < 1.5
    generator = np.random.default_rng(0)
    here, there = generator.binomial(64, 0.3, 400).tolist(), generator.binomial(256, 0.3, 400).tolist()
    drawn = [differ(one, 64, two, 256) for one, two in zip(here, there, strict=True)]
    assert 0.02 < np.mean(np.array(drawn) > 1.96) < 0.08


def test_shapes_have_the_colours_of_the_figures() -> None:
    text = (SCRIPTS / "live-draw.js").read_text("utf-8")
    block = text[text.index("const SERIES = {") : text.index("// prettier-ignore")]
    for name, number in SHAPE_SERIES.items():
        if f'"{name}":' in block or f" {name}:" in block:
            assert f'"{name}": {number},' in block or f" {name}: {number}," in block


@pytest.mark.parametrize("features", [4, 8])
def test_a_run_ends_with_the_exact_loss_of_its_best_model(script, features: int) -> None:
    recipe = {"steps": 60, "batch": 32, "rate": 1e-2, "schedule": "cosine", "start": "xavier", "bias": 0, "samples": 0}
    found = script(
        "const frames = [...liveRun(LiveModel.settled(given[0]), given[1])].filter(Boolean);"
        "const last = frames.at(-1);"
        "return [frames.map(frame => frame.step), last.losses, last.best, [...last.W], [...last.b]]",
        settings(n=features, seeds=5, p=0.2), recipe,
    )  # fmt: skip
    steps, losses, best = found[:3]
    W = np.reshape(found[3], (5, features, 3)).swapaxes(1, 2)[:, :2]
    wanted = expected_loss(W, np.reshape(found[4], (5, features)), 0.2).value / (0.2 / 3 - 0.2**2 / 4)
    assert (steps[0], steps[-1]) == (0, 60)
    assert steps == sorted(set(steps))
    assert best == min(losses) == pytest.approx(wanted[int(np.argmin(losses))], rel=1e-6)
    assert losses == pytest.approx(wanted, rel=1e-6 if features == 4 else 0.1)


def test_a_run_of_64_seeds_agrees_with_the_published_census(script) -> None:
    """Compatible: the published share lies within what chance allows both samples, one in a thousand per shape."""
    live = tomllib.loads((ROOT / "docs" / "live.toml").read_text("utf-8"))
    chosen = live["preset"][0]
    assert (chosen["statement"], chosen["settings"]["recipe"]) == ("A1", "reader")
    found = script(
        "const s = LiveModel.settled({ ...LivePublished.PLAIN, ...given[0] }); let last;"
        "for (const frame of liveRun(s, given[1])) if (frame) last = frame;"
        "const kinds = last.losses.map((_, k) => LiveShapes.shapeOf(last.W.slice(15 * k, 15 * k + 15), 2));"
        "return [kinds, last.best]",
        chosen["settings"], live["recipe"]["reader"],
    )  # fmt: skip
    numbers = json.loads((ROOT / "experiments" / "published" / "first_runs.starfish.json").read_text("utf-8"))[
        "numbers"
    ]
    kinds, best = found
    assert len(kinds) == 64
    for name in ("pentagon", "two digons", "digon + one", "other"):
        told = numbers[f"starfish.numbers.readers.{name.replace(' + ', '_and_').replace(' ', '_')}"]
        here, there = kinds.count(name), round(told["value"] * told["n"])
        spread = hypergeom(64 + told["n"], here + there, 64)  # the share in common, the seeds divided at random
        assert min(spread.cdf(here), spread.sf(here - 1)) > 0.0005, name
    optimum = numbers["starfish.numbers.best_loss"]["value"]
    assert optimum < best < 1.01 * optimum
