"""Measures the time from the command to a model that is ready."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.interleaved import medians_in_turns
from benchmarks.tables import Table, milliseconds

MODELS = ("flow_tcn", "lrcn", "convlstm")
RUN = "from harstream.__main__ import load; load('stream.app.run', 'run'); import harstream.stream.app.assembly.service"
LIBRARIES = (
    "import av, cv2, numpy, onnxruntime, paho.mqtt.client, prometheus_client, pydantic, rich.console, rich.table, "
    "sqlite3, typer, ulid, yaml"
)
PARTS = {
    "imports": ("pass", RUN),
    "of these, only the libraries": ("pass", LIBRARIES),
    "imports of the live view": (RUN, "import harstream.stream.web.server"),
} | {
    f"{model}: loaded and warm": (RUN, f"harstream.stream.app.assembly.service.engine.load_engine({model!r}, 'cpu')")
    for model in MODELS
}
"""For each row, the code before the timed code, and the timed code."""


def measure(*, short: bool) -> Table:
    took = medians_in_turns({what: partial(_seconds, *part) for what, part in PARTS.items()}, rounds=1 if short else 15)
    return Table(
        "startup",
        "Start",
        ("what", "ms"),
        [[what, milliseconds(seconds)] for what, seconds in took.items()],
        "New processes, median, in turns, without the start of Python itself. A model: its sessions and one run to "
        "warm up. No TensorFlow. The first recognition then needs a whole window, about 2 s of the camera.",
    )


def _seconds(before: str, timed: str) -> float:
    """Time code in a new process, after `before` has run there."""
    text = f"from time import perf_counter; {before}; start = perf_counter(); {timed}; print(perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout)
