"""Which processor instructions the numerical libraries may use, chosen before the first of them is loaded.

Wider vectors add the same numbers in another order, and a library picks other routines for other processors. So
that every x86-64 machine with AVX2 computes the same bytes, all are held to what such a machine has: numba and
numpy compile and choose for it, OpenBLAS takes its routines for Haswell, torch its AVX2 kernels, and MKL, which
would tell makers apart, its compatible ones. `NATIVE=1` in the environment lifts this, and other processors
compute as they like; `instructions()` says which it was, and is part of every run key.
"""

import hashlib
import os
import platform
import sys
from functools import cache
from pathlib import Path

PINNED = "x86-64-v3"
"""The common level of x86-64 processors since 2013 (Intel) and 2015 (AMD): AVX2 and fused multiply-add."""

_NEEDED = {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"}
_WIDER = {"X86_V4": "avx512f", "AVX512_ICL": "avx512_vbmi2", "AVX512_SPR": "avx512_fp16"}
"""What numpy can choose beyond the pinned level, and the flag of a processor that has it."""


def pin() -> None:
    """Hold all libraries that are not yet loaded to the pinned level, where the processor has it."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read at load: it also holds for libraries that come late
    if is_pinned():
        os.environ.update(settings(processor_flags()))


def settings(flags: frozenset[str]) -> dict[str, str]:
    """Return the environment that pins the libraries on a processor with `flags`."""
    wider = [name for name, flag in _WIDER.items() if flag in flags]  # numpy warns about what is not there
    return {
        "NUMBA_CPU_NAME": PINNED,
        "NUMBA_CPU_FEATURES": "",  # what the name implies
        "NPY_DISABLE_CPU_FEATURES": " ".join(wider),
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "COMPATIBLE",
    }


def is_pinned() -> bool:
    """True unless `NATIVE=1` asks for all that the processor can do, or it lacks the pinned level."""
    return os.environ.get("NATIVE", "") in ("", "0") and processor_flags() >= _NEEDED


def instructions() -> str:
    """Return what results are computed with: "x86-64-v3", or "native" with the processor's own name."""
    return PINNED if is_pinned() else _native()


@cache
def processor_flags() -> frozenset[str]:
    """Return what an x86-64 processor says it can do; empty for others."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not sys.platform.startswith("linux"):
        return frozenset()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(flags, "").split())


@cache
def _native() -> str:
    from llvmlite import binding

    features = ",".join(sorted(name for name, there in binding.get_host_cpu_features().items() if there))
    digest = hashlib.sha256(features.encode()).hexdigest()[:8]
    return f"native {platform.machine()} {binding.get_host_cpu_name()} {digest}"
