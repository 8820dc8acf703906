"""From the command to the first recognition."""

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
    "of these, the libraries alone": ("pass", LIBRARIES),
    "imports of the live view": (RUN, "import harstream.stream.web.server"),
} | {
    f"{model}: loaded and warm": (RUN, f"harstream.stream.app.assembly.service.engine.load({model!r}, 'cpu')")
    for model in MODELS
}
"""What goes before, and what is timed."""


def measure(*, short: bool) -> Table:
    took = medians_in_turns({what: partial(_seconds, *part) for what, part in PARTS.items()}, rounds=1 if short else 15)
    return Table(
        "startup",
        "Start",
        ("what", "ms"),
        [[what, milliseconds(seconds)] for what, seconds in took.items()],
        "Fresh processes, median, in turns; beyond the start of Python itself. A model: its sessions, and the run that "
        "warms it. No TensorFlow. A first recognition needs a whole window after that, about 2 s of the camera.",
    )


def _seconds(before: str, timed: str) -> float:
    """In a process of its own, in which `before` is done first."""
    text = f"from time import perf_counter; {before}; start = perf_counter(); {timed}; print(perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout)
