"""The CUDA backend against the reference: on the GPU where there is one, else in Triton's interpreter mode."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # triton reads it when it is imported
pytest.importorskip("triton", reason="triton comes with the CUDA build of torch and with the test requirements")

from experiments.core.training import cuda, cuda_batched, cuda_fused, cuda_inputs  # noqa: E402
from experiments.core.training.problem import Problem, resolve  # noqa: E402
from experiments.core.training.reference import gradients, to_parameters, train_reference  # noqa: E402
from experiments.core.training.specification import Data, Model, Recipe, Weights  # noqa: E402

gpu = pytest.mark.skipif(DEVICE == "cpu", reason="no NVIDIA GPU here")

SMALL = {
    "relu": Model(4, 2),
    "linear": Model(3, 2, output="linear"),
    "absolute": Model(3, 1, target="absolute"),
}
LARGE = {
    "tied": Model(9, 4),
    "untied, hidden relu": Model(5, 3, tied=False, hidden_activation="relu", target="absolute"),
    "untied, linear": Model(5, 3, tied=False, output="linear"),
    "hidden bias": Model(5, 3, hidden_activation="relu", hidden_bias=True, target="relu"),
    "l4": Model(5, 3, tied=False, hidden_activation="relu", hidden_bias=True, target="absolute", loss="l4"),
    "mixing": Model(4, 2, target="absolute", target_mixing=np.linspace(-0.3, 0.3, 32).reshape(2, 4, 4)),
}


def samples(count: int, features: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (count, features)) * (rng.random((count, features)) < 0.6)
    return values.astype(np.float32)


def problem_of(model: Model, recipe: Recipe, instances: int = 2, **data: object) -> Problem:
    importance = np.linspace(0.4, 1.3, instances * model.features).reshape(instances, -1)
    rates = np.linspace(1, 2, instances) * np.asarray(recipe.learning_rate)
    data.setdefault("samples", samples(23, model.features))
    given = Data(density=0.4, importance=importance, **data)
    return resolve(given, model, replace(recipe, learning_rate=rates))


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.cpu() - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)
def test_the_fused_gradient_equals_automatic_differentiation(model: Model) -> None:
    # With beta1 = 0 Adam's first moment is the gradient itself.
    problem = problem_of(model, Recipe(steps=1, batch=23, beta1=0.0), shuffle=False)
    state = cuda.State.start(problem, DEVICE)
    cuda_fused.Fused(problem, state, cuda_inputs.Visits(problem, DEVICE), DEVICE).advance(0, 1)
    x = torch.tensor(problem.samples).expand(2, -1, -1)
    weights = to_parameters(problem.start, "cpu")
    _, expected = gradients(model, weights, torch.tensor(problem.importance), x)
    for name, gradient in expected.items():
        assert relative_error(state.first[name], gradient) < 1e-5


@pytest.mark.parametrize("model", [*SMALL.values(), *LARGE.values()], ids=[*SMALL, *LARGE])
def test_the_batched_gradient_equals_automatic_differentiation_and_leaves_out_absent_rows(model: Model) -> None:
    problem = problem_of(model, Recipe())
    weights = to_parameters(problem.start, "cpu")
    x = torch.from_numpy(samples(46, model.features)).reshape(2, 23, -1)
    importance = torch.tensor(problem.importance)
    _, expected = gradients(model, weights, importance, x[:, :17])
    there = {name: value.to(DEVICE) for name, value in weights.items()}
    weight = (2 * importance / model.features).to(DEVICE)
    count = torch.tensor(17, dtype=torch.int32, device=DEVICE)
    mixing = None if problem.mixing is None else torch.tensor(problem.mixing, device=DEVICE)
    found = cuda_batched.gradients(model, there, x.to(DEVICE), weight, count, mixing)
    for name, gradient in expected.items():
        assert relative_error(found[name], gradient) < 1e-5


@pytest.mark.parametrize("model", [SMALL["relu"], *LARGE.values()], ids=["fused", *LARGE])
def test_twenty_steps_over_the_same_batches_track_the_reference(model: Model) -> None:
    recipe = Recipe(20, 10, 2e-2, schedule="cosine", warmup=4, weight_decay=0.1, snapshots=(20, 0, 7))
    problem = problem_of(model, recipe)  # 23 samples: every third batch holds 3
    found, expected = cuda.train_cuda(problem, DEVICE), train_reference(problem, "cpu")
    assert found.steps == expected.steps
    for ours, theirs in zip((found.weights, *found.snapshots), (expected.weights, *expected.snapshots), strict=True):
        assert np.abs(ours.W - theirs.W).max() < 1e-3
        assert np.abs(ours.b - theirs.b).max() < 1e-3
    assert np.abs(expected.weights.W - problem.start.W).max() > 0.05


def test_a_step_down_takes_effect_where_the_recipe_says() -> None:
    recipe = Recipe(4, 10, 1e-2, schedule="step", step_at=0.5, step_factor=0.0, snapshots=(2,))
    trained = cuda.train_cuda(problem_of(SMALL["linear"], recipe), DEVICE)
    np.testing.assert_array_equal(trained.snapshots[0].W, trained.weights.W)


def test_a_fixed_data_set_is_the_reference_s() -> None:
    problem = problem_of(Model(3, 1), Recipe(6, 8, 1e-2), samples=None, fixed_samples=20, signed=True)
    found, expected = cuda.train_cuda(problem, DEVICE), train_reference(problem, "cpu")
    np.testing.assert_allclose(found.weights.W, expected.weights.W, atol=1e-5)


GROUPED = {"coupling": "anticorrelated", "groups": ((0, 2),), "strength": 0.7}


def test_both_paths_train_on_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(SMALL["relu"], Recipe(5, 30, 1e-2), samples=None, signed=True, **GROUPED)
    fused = cuda.train_cuda(problem, DEVICE)
    monkeypatch.setattr(cuda, "fits_on_chip", lambda problem: False)
    batched = cuda.train_cuda(problem, DEVICE)
    np.testing.assert_allclose(fused.weights.W, batched.weights.W, atol=1e-5)


def test_an_instance_depends_neither_on_its_neighbours_nor_on_the_cut_into_launches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = Recipe(6, 16, 1e-2, instance_seeds=(7, 8, 9))
    data = Data(density=0.5)
    together = cuda.train_cuda(resolve(data, SMALL["linear"], recipe), DEVICE)
    monkeypatch.setattr(cuda, "LAUNCH_STEPS", 4)
    alone = cuda.train_cuda(resolve(data, SMALL["linear"], replace(recipe, instance_seeds=(8,))), DEVICE)
    np.testing.assert_array_equal(together.weights.W[1], alone.weights.W[0])
    assert not np.array_equal(together.weights.W[0], together.weights.W[1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter's numpy speaks of the overflow that is meant
@pytest.mark.parametrize("model", [SMALL["linear"], Model(9, 4, output="linear")], ids=["fused", "batched"])
def test_a_diverging_instance_stops_alone_with_its_last_finite_weights(model: Model) -> None:
    recipe = Recipe(4, 8, np.array([1e-2, 1e25, 1e-2]), snapshots=(1, 4))
    problem = resolve(Data(density=0.6, samples=samples(8, model.features), shuffle=False), model, recipe)
    found, expected = cuda.train_cuda(problem, DEVICE), train_reference(problem, "cpu")
    np.testing.assert_array_equal(found.diverged, [False, True, False])
    np.testing.assert_array_equal(found.stopped_at, expected.stopped_at)
    np.testing.assert_array_equal(found.weights.W[1], found.snapshots[0].W[1])
    np.testing.assert_allclose(found.weights.W, expected.weights.W, rtol=1e-3, atol=1e-5)


def test_given_weights_are_taken_as_they_are() -> None:
    W = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    recipe = Recipe(1, 8, start=Weights(W, np.ones((1, 3), np.float32)), snapshots=(0,))
    trained = cuda.train_cuda(resolve(Data(density=0.5), Model(3, 2), recipe), DEVICE)
    np.testing.assert_array_equal(trained.snapshots[0].W, W)
    np.testing.assert_array_equal(trained.snapshots[0].b, np.ones((1, 3)))


def test_only_models_that_fit_in_registers_are_fused() -> None:
    assert cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(100, 40), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2, tied=False), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2, hidden_activation="relu"), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2, hidden_bias=True), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2, loss="l4"), Recipe()))
    assert not cuda.fits_on_chip(resolve(Data(0.1), Model(5, 2), Recipe(frozen=("b",))))


COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, make_backend
from triton.runtime.jit import create_function_from_signature

from experiments.core.training import cuda, cuda_kernels
from experiments.core.training.problem import resolve
from experiments.core.training.specification import Data, Model, Recipe

backend = make_backend(GPUTarget("cuda", 90, 32))


class Compiled:
    def __init__(self, kernel):
        self.kernel = kernel

    def __getitem__(self, grid):
        return self

    def __call__(self, *given, **named):
        bind = create_function_from_signature(self.kernel.signature, self.kernel.params, backend)
        bound, kinds, options = bind(*given, **named)
        options, signature, constants, attributes = self.kernel._pack_args(backend, named, bound, kinds, options)
        source = ASTSource(self.kernel, signature, constants, attributes)
        built = triton.compile(source, target=backend.target, options=options.__dict__)
        print(self.kernel.__name__, "local" if ".local" in built.asm["ptx"] else "registers", built.metadata.shared)


for name in ("train", "draw", "slopes"):
    setattr(cuda_kernels, name, Compiled(getattr(cuda_kernels, name)))
grouped = Data(density=0.1, coupling="correlated", groups=((0, 1), (2, 3)), strength=0.5, signed=True)
for data, model in ((Data(density=0.5), Model(5, 2)), (grouped, Model(5, 2)), (grouped, Model(20, 5))):
    cuda.train_cuda(resolve(data, model, Recipe(steps=1), 3), "cpu")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="triton's compiler is there on Linux only")
def test_every_launch_compiles_for_hopper_and_the_fused_kernel_keeps_all_in_registers(tmp_path: Path) -> None:
    """Compiling needs no GPU; the launches are bound as on a GPU, and the fused ones use no other memory."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment |= {"TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    script = tmp_path / "compile_kernels.py"
    script.write_text(COMPILE)
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    kernels = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _, _ in kernels] == ["train", "train", "draw", "slopes"], done.stderr
    assert {memory for _, memory, _ in kernels} == {"registers"}
    assert [shared for name, _, shared in kernels if name == "train"] == ["0", "0"]


@gpu
@pytest.mark.gpu
def test_a_captured_graph_takes_the_same_steps_as_the_eager_path(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(Model(40, 20), Recipe(50, 256, 1e-3), instances=8, samples=None)
    captured = cuda.train_cuda(problem, "cuda")
    monkeypatch.setattr(cuda_batched.Batched, "_take", cuda_batched.Batched._take_step)
    eager = cuda.train_cuda(problem, "cuda")
    np.testing.assert_allclose(captured.weights.W, eager.weights.W, atol=1e-6)


@gpu
@pytest.mark.gpu
def test_the_same_seed_gives_the_same_bytes() -> None:
    problem = problem_of(Model(5, 2), Recipe(500, 1024), instances=64, samples=None)
    first, second = cuda.train_cuda(problem, "cuda"), cuda.train_cuda(problem, "cuda")
    np.testing.assert_array_equal(first.weights.W, second.weights.W)


@gpu
@pytest.mark.gpu
@pytest.mark.parametrize("model", [Model(5, 2), Model(12, 4)], ids=["fused", "batched"])
def test_final_losses_of_256_seeds_are_distributed_as_the_reference_s(model: Model) -> None:
    recipe = Recipe(1500, 128, 1e-2)
    data = Data(density=0.2)
    ours = cuda.train_cuda(resolve(data, model, recipe, 256), "cuda")
    theirs = train_reference(resolve(data, model, replace(recipe, seed=1), 256), "cuda")
    x = torch.from_numpy(samples(4096, model.features)).abs().cuda().expand(256, -1, -1)
    importance = torch.ones(256, model.features, device="cuda")
    losses = [gradients(model, to_parameters(t.weights, "cuda"), importance, x)[0].cpu() for t in (ours, theirs)]
    assert stats.ks_2samp(losses[0].numpy(), losses[1].numpy()).pvalue > 1e-3
