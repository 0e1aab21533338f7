"""The arithmetic profile: what decides, besides the job, whether two trainings agree bit for bit."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

ONEDNN_VARIABLE: Final = "TF_ENABLE_ONEDNN_OPTS"

NATIVE: Final = "native"
CANONICAL: Final = "canonical"
"""Arithmetic that is the same on every machine; see `simulation.training.canonical_trainer`."""

CANONICAL_PROFILE: Final = "canonical-1"
"""Profile of all who train like that; raised when a single bit changes."""

VARIABLES: Final[Mapping[str, Mapping[str, str]]] = {
    NATIVE: {},
    "no_onednn": {ONEDNN_VARIABLE: "0"},
    "sse4": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
}
"""Environment of each arithmetic of TensorFlow that a population may have."""

_LEVELS: Final = ("avx512_bf16", "avx512_vnni", "avx512f", "avx2", "avx", "sse4_2")
"""CPU features that TensorFlow's kernels choose between, best first."""


def compute_profile(*, xla: bool) -> str:
    """Return the profile of this machine: library versions, oneDNN, XLA and the instruction set."""
    onednn = os.environ.get(ONEDNN_VARIABLE, "1")
    return (
        f"tensorflow-{version('tensorflow')} keras-{version('keras')} numpy-{version('numpy')} "
        f"onednn-{onednn} xla-{int(xla)} {platform.machine()}-{_find_level()}"
    )


def _find_level() -> str:
    """Return the best CPU feature Linux reports; elsewhere the processor's own name stands in."""
    try:
        lines = Path("/proc/cpuinfo").read_text("ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    flags = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), set())
    return next((level for level in _LEVELS if level in flags), "base")


def prepare_environment() -> None:
    """Set what must stand before TensorFlow is first imported: one profile, one thread, CPU only, no chatter."""
    os.environ.setdefault(ONEDNN_VARIABLE, "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["OMP_NUM_THREADS"] = "1"
