"""Imports Keras and its backend without the lines that TensorFlow prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_keras() -> str:
    """Import Keras, and return its backend with its devices, such as `tensorflow (cpu:0)`. PyTorch reports no devices.

    TensorFlow 2.21 prints several lines on import and while it looks for devices, at every log level
    (tensorflow/tensorflow#100442). They are shown if TF_CPP_MIN_LOG_LEVEL is set.
    """
    is_asked_for = LEVEL in os.environ
    os.environ.setdefault(LEVEL, "2")
    with nullcontext() if is_asked_for else _nothing_to_stderr():
        import keras

        backend: str = keras.backend.backend()
        devices = [] if backend == "torch" else keras.distribution.list_devices()
    return f"{backend} ({', '.join(devices)})" if devices else backend


@contextmanager
def _nothing_to_stderr() -> Iterator[None]:
    """Discard the standard error of the whole process, because C++ does not write through Python."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
