"""Results are computed with the same instructions on every processor that has them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.core import instructions
from experiments.core.instructions import PINNED, processor_flags, settings

ROOT = Path(__file__).parents[3]

LOADED = """
import json
import experiments.core
from experiments.core.instructions import instructions
import numpy, torch, numba, scipy.linalg
from numba.core.codegen import JITCPUCodegen
from numpy._core._multiarray_umath import __cpu_features__ as features
from threadpoolctl import threadpool_info
blas = [each for each in threadpool_info() if each["internal_api"] == "openblas"]
print(json.dumps({
    "instructions": instructions(),
    "openblas": sorted({each["architecture"] for each in blas}),
    "threads": sorted({each["num_threads"] for each in blas}),
    "torch": torch.backends.cpu.get_cpu_capability(),
    "numba": JITCPUCodegen("test").magic_tuple()[1:],
    "wide": [name for name in ("X86_V4", "AVX512_ICL", "AVX512_SPR") if features.get(name)],
}))
"""


def loaded(**environment: str) -> dict[str, object]:
    import json

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "OPENBLAS", "NPY"))}
    call = [sys.executable, "-W", "error", "-c", LOADED]
    done = subprocess.run(call, env=kept | environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


pinnable = pytest.mark.skipif(
    not processor_flags() >= instructions._NEEDED, reason="this processor lacks the instructions that are pinned"
)


@pinnable
@pytest.mark.parametrize("asked", [{}, {"OPENBLAS_CORETYPE": "Prescott", "ATEN_CPU_CAPABILITY": "default"}])
def test_every_library_is_held_to_the_pinned_level_whatever_the_environment_says(asked: dict[str, str]) -> None:
    assert loaded(**asked) == {
        "instructions": PINNED,
        "openblas": ["Haswell"],
        "threads": [1],
        "torch": "AVX2",
        "numba": [PINNED, ""],
        "wide": [],
    }


def test_native_leaves_the_processor_to_the_libraries_and_says_so() -> None:
    found = loaded(NATIVE="1", OPENBLAS_CORETYPE="Prescott")
    assert str(found["instructions"]).startswith("native ")
    assert found["openblas"] != ["Haswell"]
    assert found["threads"] == [1]


def test_only_what_the_processor_has_is_switched_off() -> None:
    plain = frozenset(instructions._NEEDED)
    assert settings(plain)["NPY_DISABLE_CPU_FEATURES"] == ""
    assert settings(plain | {"avx512f"})["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"


def test_a_processor_without_the_pinned_level_computes_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NATIVE", raising=False)
    monkeypatch.setattr(instructions, "processor_flags", lambda: frozenset({"sse2", "avx"}))
    assert not instructions.is_pinned()
    assert instructions.instructions().startswith("native ")
