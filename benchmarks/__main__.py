"""`python -m benchmarks`: run them, print the tables, and write docs/performance.md."""

from __future__ import annotations

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
from harstream.stream.recognition.onnx_runtime import has_nvidia_driver

NAMES = ("windows", "frames", "batches", "pictures", "files", "cameras", "latency", "startup", "training")
FILMS = Path("cache/benchmarks")

app = typer.Typer()


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help=f"Some of {', '.join(NAMES)}, separated by commas.")] = None,
    short: Annotated[bool, typer.Option("--short", help="Everything once and small: do they run?")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the tables to this file, in Markdown.")] = None,
) -> None:
    """Speed as ratios, measured side by side in one run. On an idle machine, or the ratios are of a busy one."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    chosen = only.split(",") if only else list(NAMES)
    if strange := sorted(set(chosen) - set(NAMES)):
        raise typer.BadParameter(f"there are {', '.join(NAMES)}; got {', '.join(strange)}", param_hint="--only")
    console = Console()
    tables = []
    for name in chosen:
        table = _benchmark(name, out)(short)
        _show(table, console)
        tables.append(table)
    if out:
        out.write_text(_markdown(tables, out))


def _benchmark(name: str, out: Path | None) -> Callable[[bool], Table]:
    """Imported only now, as TensorFlow takes long."""
    if name == "windows":
        from benchmarks import windows

        return lambda short: windows.measure(short=short)
    if name == "frames":
        from benchmarks import frames

        return lambda short: frames.measure(FILMS, short=short)
    if name == "batches":
        from benchmarks import batches

        return lambda short: batches.measure(short=short)
    if name == "pictures":
        from benchmarks import pictures

        return lambda short: pictures.measure(FILMS, short=short)
    if name == "files":
        from benchmarks import files

        return lambda short: files.measure(FILMS, short=short)
    if name == "cameras":
        from benchmarks import cameras

        return lambda short: cameras.measure(FILMS, out.with_name("cameras.svg") if out else None, short=short)
    if name == "latency":
        from benchmarks import latency

        return lambda short: latency.measure(FILMS, short=short)
    if name == "startup":
        from benchmarks import startup

        return lambda short: startup.measure(short=short)
    from benchmarks import training

    return lambda short: training.measure(short=short)


def _show(table: Table, console: Console) -> None:
    shown = Shown(*table.columns, title=table.title, title_justify="left", box=None, pad_edge=False)
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print(table.notes, style="dim")
    console.print()


def _markdown(tables: list[Table], out: Path) -> str:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True)
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
