"""What only a fresh process can tell: peak memory of a training run, and what the first call costs.

`main` runs in a process of its own and prints one line of JSON: seconds of the first and of a second call, and
the peak bytes of the process (on a GPU: of the GPU's memory).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import astuple
from pathlib import Path
from time import perf_counter

from experiments.speed.shared.shapes import Shape


def peak_bytes(shape: Shape, device: str) -> int:
    """Return the most memory a fresh process that trains `shape` held, everything it imports included."""
    return int(_probe(shape, device, 20, {})["bytes"])


def first_call(device: str) -> dict[str, float]:
    """Return the seconds of a first call with nothing compiled on disk, and of one in the process after it."""
    with tempfile.TemporaryDirectory() as cache:
        caches = {"NUMBA_CACHE_DIR": cache, "TRITON_CACHE_DIR": cache}
        cold = _probe(Shape(4, 5, 2), device, 10, caches)
        warm = _probe(Shape(4, 5, 2), device, 10, caches)
    return {"compiling": float(cold["first"]), "from_disk": float(warm["first"]), "afterwards": float(warm["second"])}


def _probe(shape: Shape, device: str, steps: int, environment: dict[str, str]) -> dict[str, float]:
    call = f"from experiments.speed.shared import probe; probe.main({device!r}, {astuple(shape)}, {steps})"
    done = subprocess.run(
        [sys.executable, "-c", call], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(device: str, sizes: tuple[int, int, int, int], steps: int) -> None:
    """Train twice and write what it took to standard output, which the parent process reads."""
    import torch

    from experiments.speed.shared.plain import train_ours

    seconds = []
    for _ in range(2):
        began = perf_counter()
        train_ours(Shape(*sizes), device, steps)
        seconds.append(perf_counter() - began)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _most_resident()
    sys.stdout.write(json.dumps({"first": seconds[0], "second": seconds[1], "bytes": peak}))


def _most_resident() -> int:
    """Return the most bytes this process held."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:  # no Linux: macOS counts bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Not `ru_maxrss`: Linux hands a child what its parent held before the child became a program of its own.
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
