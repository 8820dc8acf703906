"""From the command to the first recognition."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.tables import Table, milliseconds
from benchmarks.turns import seconds_in_turns

MODELS = ("flow_tcn", "lrcn", "convlstm")
PARTS = {
    "Python alone": "pass",
    "imports of libraries alone": "import av, cv2, numpy, onnxruntime, paho.mqtt.client, prometheus_client, pydantic, "
    "rich.console, rich.table, sqlite3, typer, ulid, yaml",
    "imports": "import cli; cli.load('stream.cli', 'run'); import stream.assembly",
    "imports, live view": "import cli; cli.load('stream.cli', 'run'); import stream.assembly, stream.sinks.live_view",
}


def measure(*, short: bool) -> Table:
    models = MODELS[:1] if short else MODELS
    programs = PARTS | {
        f"{model}: loaded and warm": f"{PARTS['imports']}; stream.assembly.engine.load({model!r}, 'cpu')"
        for model in models
    }
    took = seconds_in_turns({name: _running(text) for name, text in programs.items()}, rounds=1 if short else 25)
    base = took["Python alone"]
    loaded = took["imports"]
    rows = [[name, milliseconds(seconds - base)] for name, seconds in took.items() if name in PARTS and seconds != base]
    rows += [[name, milliseconds(seconds - loaded)] for name, seconds in took.items() if name not in PARTS]
    return Table(
        "startup",
        "Start",
        ("what", "ms"),
        rows,
        "Fresh processes, median, in turns; imports beyond those of Python itself, a model beyond the imports (its "
        "sessions, and the run that warms it). No TensorFlow. A first recognition needs a whole window after that, "
        "about 2 s of the camera.",
    )


def _running(program: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    return run
