"""Opens sessions of ONNX Runtime, on a GPU or the CPU, and reports which of them they use."""

from __future__ import annotations

import ctypes
import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Literal

import onnxruntime

from harstream.models.onnx_file import UnsafeOnnxFile, check_onnx_file
from harstream.wire.errors import ModelError

Device = Literal["auto", "cpu", "cuda"]

CPU = "CPU"


def open_session(
    file: Path, device: Device, threads: int = 1, *, has_cuda_graphs: bool = False
) -> onnxruntime.InferenceSession:
    """Check and open a file. Raises ModelError if it is broken, or if `cuda` is asked for and not available."""
    _check_file(file)
    providers = _providers(device, has_cuda_graphs=has_cuda_graphs)
    try:
        with redirect_stdout(io.StringIO()):  # preload_dlls prints errors to stdout, where events may go
            if len(providers) > 1 and hasattr(onnxruntime, "preload_dlls"):
                onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installs
            session = onnxruntime.InferenceSession(str(file), _session_options(threads), providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"expected an ONNX model in {file}, ONNX Runtime says: {reason(error)}") from error
    if device == "cuda" and provider_of(session) == CPU:
        raise ModelError(
            "asked for CUDA, got the CPU: install the CUDA libraries with `pip install 'harstream[cuda]'` and an "
            "NVIDIA driver, or set device: auto; `harstream doctor` explains more"
        )
    return session


def provider_of(session: onnxruntime.InferenceSession) -> str:
    """Return the device that runs a session: `CPU` or `CUDA`. ONNX Runtime falls back to the CPU silently."""
    return str(session.get_providers()[0]).removesuffix("ExecutionProvider")


def has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def reason(error: Exception) -> str:
    """Return the end of ONNX Runtime's first line, without the places in its source code, which come first."""
    line = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^.*/onnxruntime_src\S* .*\(.*\) (?=\S)", "", line)[:300]


def _providers(device: Device, *, has_cuda_graphs: bool) -> list[object]:
    """Return the execution providers to try, the preferred one first."""
    if device == "cpu" or (device == "auto" and not has_nvidia_driver()):
        return ["CPUExecutionProvider"]
    # TF32 rounds factors to 10 bits. Verification and the choice of thresholds run without it.
    cuda = {"use_tf32": "0", "enable_cuda_graph": str(int(has_cuda_graphs))}
    return [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]


def _session_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this entry, 8-bit models overflow silently on x86 CPUs that lack VNNI instructions. Source: ONNX Runtime,
    # onnxruntime_session_options_config_keys.h.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4
    onnxruntime.set_default_logger_severity(4)
    return options


def _check_file(file: Path) -> None:
    try:
        check_onnx_file(file)
    except UnsafeOnnxFile as error:
        raise ModelError(f"expected an ONNX model in {file}: {error}") from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
