"""Keras and its backend without what TensorFlow says of itself on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_keras() -> str:
    """Return its backend with the devices that it sees, such as `tensorflow (cpu:0)`; of PyTorch it knows none.

    TensorFlow 2.21 writes half a dozen lines while it is imported and looks for devices, whatever the level that is
    asked for (tensorflow/tensorflow#100442). All of it is shown where TF_CPP_MIN_LOG_LEVEL is set.
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
    """Of the whole process: what is written in C++ does not ask Python."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
