"""`harstream reproduce`: the papers' recipes beside ours, on the same clips."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harstream.clips.listing import ListingError
from harstream.command_line.errors import fail
from harstream.evaluation.papers.runs import REPORTED, SHIPPED, Run, all_runs, commands
from harstream.evaluation.papers.table import Figures, markdown
from harstream.models.catalogue import find_model

app = typer.Typer()


@app.command()
def reproduce(
    data: Annotated[Path, typer.Option(help="A folder of class folders that holds the twelve classes of the study.")],
    split: Annotated[Path, typer.Option(help="The split file by cluster (.tsv).")],
    out: Annotated[Path, typer.Option(help="Run folders are kept here; an interrupted run goes on.")] = Path(
        "runs/papers"
    ),
    figures: Annotated[
        Path, typer.Option(help="Figures of finished runs, which are not done again; the table is written beside it.")
    ] = Path("docs/papers"),
    only: Annotated[
        str | None, typer.Option(help="Only these runs, separated by commas; parts of names choose all that have them.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the commands of all runs, and run nothing.")] = False,
) -> None:
    """Train each paper's recipe and the shipped one, on a random split as the papers did and on one by cluster."""
    console = Console(stderr=True, soft_wrap=True)
    runs = all_runs() if only is None else _chosen(all_runs(), only.split(","))
    if not runs:
        fail("reproduce", f"no run has {only!r} in its name; there are {', '.join(run.name for run in all_runs())}")
    if show:
        for run in runs:
            for command in commands(run, data, split, out):
                print(shlex.join(command))
        return
    table = figures.with_name(f"{figures.name}.md")
    try:
        for number, run in enumerate(runs, start=1):
            file = _file(figures, run)
            console.print(f"{number} of {len(runs)}: {run.name}{' is finished' if file.exists() else ''}", style="bold")
            if not file.exists():
                if code := _run(run, data, split, out):
                    fail("reproduce", f"{run.name} ended with exit code {code}; the same command goes on from there")
                _figures(out / run.name).write(file)
            _write_table(table, figures, data, split, out)
    except ListingError as error:
        fail("reproduce", error)
    console.print(f"the table is in {table}")


def _chosen(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """A whole name chooses its run alone, though others may begin with it."""
    whole = {run.name for run in runs}
    return [run for run in runs if any(run.name == n if n in whole else n in run.name for n in names)]


def _file(figures: Path, run: Run) -> Path:
    return figures / f"{run.name}.json"


def _run(run: Run, data: Path, split: Path, out: Path) -> int:
    """Whatever of it is not there yet; returns the exit code of the command that failed, or 0."""
    folder = out / run.name
    harstream = shutil.which("harstream", path=Path(sys.executable).parent) or "harstream"
    results = (folder / "model.keras", folder / "onnx" / "model.onnx", folder / "report.json")
    for command, result in zip(commands(run, data, split, out), results, strict=True):
        if not result.exists() and (code := subprocess.call([harstream, *command[1:]])):
            return code
    return 0


def _figures(folder: Path) -> Figures:
    from harstream.evaluation.timing import milliseconds_per_window
    from harstream.stream.recognition.onnx_runtime import OnnxRecognizer

    models = [OnnxRecognizer(find_model(name), "cpu") for name in (str(folder / "onnx"), SHIPPED[0])]
    milliseconds, of_default = milliseconds_per_window(models)
    clips = json.loads((folder / "report.json").read_text())["metrics"]["clips"]
    return Figures(
        test_clips=clips["rows"],
        accuracy=clips["accuracy"],
        precision=clips["precision_macro"],
        recall=clips["recall_macro"],
        f1=clips["f1_macro"],
        parameters=json.loads((folder / "onnx" / "export.json").read_text())["parameters"],
        milliseconds=round(milliseconds, 3),
        milliseconds_of_default=round(of_default, 3),
        epochs=len((folder / "history.csv").read_text().splitlines()) - 1,
    )


def _write_table(table: Path, figures: Path, data: Path, split: Path, out: Path) -> None:
    finished = {run: Figures.read(file) for run in all_runs() if (file := _file(figures, run)).exists()}
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(markdown(REPORTED, finished, data, split, out))
