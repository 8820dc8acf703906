"""`harstream reproduce`: the papers' recipes beside ours, on the same clips."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evaluation.papers import REPORTED, Run, all_runs, commands

app = typer.Typer()


@app.command()
def reproduce(
    data: Annotated[Path, typer.Option(help="A folder of class folders that holds the twelve classes of the study.")],
    split: Annotated[Path, typer.Option(help="The split file by cluster (.tsv).")],
    out: Annotated[Path, typer.Option(help="Run folders are kept here; what is finished is not done again.")] = Path(
        "runs/papers"
    ),
    table: Annotated[Path, typer.Option(help="The table to write, in Markdown.")] = Path("docs/papers.md"),
    only: Annotated[
        str | None, typer.Option(help="Only runs whose name contains one of these, separated by commas.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the commands of all runs, and run nothing.")] = False,
) -> None:
    """Train each paper's recipe and the shipped one, on a random split as the papers did and on one by cluster."""
    console = Console(stderr=True, soft_wrap=True)
    runs = [run for run in all_runs() if only is None or any(part in run.name for part in only.split(","))]
    if not runs:
        _fail(console, f"no run has {only!r} in its name; there are {', '.join(run.name for run in all_runs())}")
    if show:
        for run in runs:
            for command in commands(run, data, split, out):
                print(shlex.join(command))
        return
    for number, run in enumerate(runs, start=1):
        console.print(f"{number} of {len(runs)}: {run.name}", style="bold")
        if code := _run(run, data, split, out):
            _fail(console, f"{run.name} ended with exit code {code}; the same command goes on from there")
        _write_table(table, data, split, out)
    console.print(f"the table is in {table}")


def _run(run: Run, data: Path, split: Path, out: Path) -> int:
    """Whatever of it is not there yet; returns the exit code of the command that failed, or 0."""
    folder = out / run.name
    harstream = shutil.which("harstream", path=Path(sys.executable).parent) or "harstream"
    results = (folder / "model.keras", folder / "onnx" / "model.onnx", folder / "report.json")
    for command, result in zip(commands(run, data, split, out), results, strict=True):
        if not result.exists() and (code := subprocess.call([harstream, *command[1:]])):
            return code
    return 0


def _write_table(table: Path, data: Path, split: Path, out: Path) -> None:
    from evaluation.papers_table import Finished, markdown

    finished: dict[Run, Finished] = {}
    for run in all_runs():
        report, exported = out / run.name / "report.json", out / run.name / "onnx" / "export.json"
        if report.exists() and exported.exists():
            finished[run] = Finished(
                report=json.loads(report.read_text())["metrics"],
                parameters=json.loads(exported.read_text())["parameters"],
                model=out / run.name / "onnx",
                commands=tuple(shlex.join(command) for command in commands(run, data, split, out)),
            )
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(markdown(REPORTED, finished))


def _fail(console: Console, problem: str) -> None:
    console.print(f"harstream reproduce: {problem}", style="red", markup=False)
    raise typer.Exit(2)
