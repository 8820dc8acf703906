"""`python -m benchmarks` runs the benchmarks, prints their tables, and writes docs/performance.md."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from jinja2 import Environment, FileSystemLoader
from rich.console import Console
from rich.table import Table as Shown

from benchmarks.tables import Table
from harstream.stream.recognition.onnx_session import has_nvidia_driver

NAMES = (
    "windows",
    "frames",
    "batches",
    "pictures",
    "views",
    "files",
    "cameras",
    "latency",
    "startup",
    "forecast",
    "ticks",
    "training",
)
NEED_VIDEO = ("frames", "pictures", "views", "files", "cameras", "latency")
VIDEOS = Path("cache/benchmarks")

app = typer.Typer()


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help=f"Some of {', '.join(NAMES)}, separated by commas.")] = None,
    short: Annotated[
        bool, typer.Option("--short", help="Run everything once and small, to see whether it runs.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the tables to this file, in Markdown.")] = None,
) -> None:
    """Measure speed as ratios, side by side in one run. Only an idle machine gives valid ratios."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    chosen = only.split(",") if only else list(NAMES)
    if strange := sorted(set(chosen) - set(NAMES)):
        raise typer.BadParameter(f"expected some of {', '.join(NAMES)}; got {', '.join(strange)}", param_hint="--only")
    console = Console()
    tables = []
    for name in chosen:
        table = _benchmark(name, out)(short)
        _show(table, console)
        tables.append(table)
    if out:
        out.write_text(_markdown(tables, out))


def _benchmark(name: str, out: Path | None) -> Callable[[bool], Table]:
    """Import a benchmark only now, because TensorFlow takes long to import."""
    measure = importlib.import_module(f"benchmarks.{name}").measure
    inputs: list[object] = []
    if name in NEED_VIDEO:
        inputs.append(VIDEOS)
    if name == "cameras":
        inputs.append(out.with_name("cameras.svg") if out else None)
    return lambda short: measure(*inputs, short=short)


def _show(table: Table, console: Console) -> None:
    shown = Shown(*table.columns, title=table.title, title_justify="left", box=None, pad_edge=False)
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print(table.notes, style="dim")
    console.print()


def _markdown(tables: list[Table], out: Path) -> str:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True)  # noqa: S701 (Markdown, not HTML)
    versions = ("onnxruntime-gpu", "onnxruntime", "tensorflow", "opencv-python", "av", "numpy", "openvino")
    return environment.get_template("performance.md.j2").render(
        tables=tables,
        out=out,
        has_gpu=has_nvidia_driver(),
        date=datetime.now(UTC).date().isoformat(),
        machine=f"{os.cpu_count()} cores of {_processor()}, {platform.system()}, Python {platform.python_version()}",
        versions=", ".join(f"{name} {number}" for name in versions if (number := _version(name))),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except ModuleNotFoundError:
        return None


app()
