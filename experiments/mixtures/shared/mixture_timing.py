"""How long a forward pass takes: mixtures beside the dense models that they are compared with.

`make bench` calls `measure_forward` and commits what it finds, because timings differ from run to run. All models run
through one compiled function, on dense inputs, in one thread; repeats of the models alternate.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import json
from time import thread_time
from typing import Any

from experiments.core.training.cpu_draws import jit
from experiments.core.training.seeds import DATA
from experiments.mixtures.shared.mixture_forward import apart, forward, new_space, scatter, shape_of
from experiments.mixtures.shared.mixture_model import Mixture, dense, flat, matched, multiply_adds, start
from experiments.mixtures.shared.mixture_samples import Source, draw, first_state, new_samples

FEATURES, SAMPLES, REPEATS = 100, 4000, 15

TIMED = {
    "20 x 1, top-1": Mixture(20, 1),
    "10 x 2, top-1": Mixture(10, 2),
    "5 x 4, top-1": Mixture(5, 4),
    "5 x 4, top-2": Mixture(5, 4, 2),
    "4 x 5, top-1": Mixture(4, 5),
}


def rivals(model: Mixture) -> dict[str, Mixture]:
    """Return the dense models that a mixture is timed against: as many hidden units, as many multiply-adds."""
    found = matched(model, FEATURES)
    return {"hidden": dense(found.hidden), "cost": dense(found.cost)}


def measure_forward(about: dict[str, Any]) -> str:
    """Return the measurement as JSON: `about`, and per model its multiply-adds and nanoseconds per sample (repeat,)."""
    source = Source(FEATURES, 1.0)
    samples = new_samples(source, SAMPLES)
    draw(source, first_state(0, DATA), samples)
    models = TIMED | {f"dense {each.hidden}": each for model in TIMED.values() for each in rivals(model).values()}
    passes = {name: _pass(model, samples) for name, model in models.items()}
    for run in passes.values():
        run()  # compiled, and its memory in the cache
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(REPEATS):
        for name, run in passes.items():
            began = thread_time()
            run()
            times[name].append(round(1e9 * (thread_time() - began) / SAMPLES, 1))
    rows = [
        {"name": name, "multiply_adds": multiply_adds(model, FEATURES), "nanoseconds": times[name]}
        for name, model in models.items()
    ]
    return json.dumps({**about, "samples": SAMPLES, "rows": rows}, indent=1) + "\n"


def _pass(model: Mixture, samples: Any) -> Any:
    shape, parts = shape_of(model, FEATURES), start(model, FEATURES, 0.1, 0)
    space, row = new_space(shape), apart(flat(model, parts))
    return lambda: forward_all(shape, samples, parts.home, space, row)


@jit
def forward_all(o, samples, home, space, parameters):
    """Send every sample through the model; the last output stays in `space`."""
    for sample in range(samples.label.size):
        at, end = samples.starts[sample], samples.starts[sample + 1]
        forward(o, samples, at, end, samples.label[sample], home, space, parameters)
        scatter(samples, at, end, space.x, True)
