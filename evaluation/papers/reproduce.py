"""The command `harstream reproduce`. It measures the papers' recipes and this project's on the same clips."""

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
from harstream.evaluation.papers.table import Figures, papers_page
from harstream.models.catalogue import find_model

app = typer.Typer()


@app.command()
def reproduce(
    data: Annotated[
        Path, typer.Option(help="A folder of class folders that holds the twelve classes of the comparison.")
    ],
    split: Annotated[Path, typer.Option(help="The split file by cluster (.tsv).")],
    out: Annotated[
        Path, typer.Option(help="The folder for the run folders. An interrupted run in it is resumed.")
    ] = Path("runs/papers"),
    figures: Annotated[
        Path,
        typer.Option(help="The folder with the figures of finished runs, which are skipped. FOLDER.md gets the table."),
    ] = Path("docs/papers"),
    only: Annotated[
        str | None, typer.Option(help="Only these runs, by name or by a part of their names, separated by commas.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the commands of all runs, and run nothing.")] = False,
) -> None:
    """Train each paper's recipe and the shipped one, on a random split as in the papers and on one by cluster."""
    runs = all_runs() if only is None else _chosen(all_runs(), only.split(","))
    if not runs:
        fail("reproduce", f"no run has {only!r} in its name; there are {', '.join(run.name for run in all_runs())}")
    if show:
        for command in (command for run in runs for command in commands(run, data, split, out)):
            print(shlex.join(command))
        return
    try:
        _reproduce(runs, data, split, out, figures)
    except ListingError as error:
        fail("reproduce", error)


def _reproduce(runs: Sequence[Run], data: Path, split: Path, out: Path, figures: Path) -> None:
    """Run what has no figures yet, and write the table after each run. Raises ListingError."""
    console = Console(stderr=True, soft_wrap=True)
    table = figures.with_name(f"{figures.name}.md")
    for number, run in enumerate(runs, start=1):
        file = figures / run.figures_file
        console.print(f"{number} of {len(runs)}: {run.name}{' is finished' if file.exists() else ''}", style="bold")
        if not file.exists():
            _run(run, data, split, out)
            _figures(out / run.name).write(file)
        _write_table(table, figures, data, split, out)
    console.print(f"the table is in {table}")


def _chosen(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Choose the run with this name, or else every run with this text in its name."""
    whole = {run.name for run in runs}
    return [run for run in runs if any(run.name == n if n in whole else n in run.name for n in names)]


def _run(run: Run, data: Path, split: Path, out: Path) -> None:
    """Run the commands whose results do not exist yet."""
    folder = out / run.name
    harstream = shutil.which("harstream", path=Path(sys.executable).parent) or "harstream"
    results = (folder / "model.keras", folder / "onnx" / "model.onnx", folder / "report.json")
    for command, result in zip(commands(run, data, split, out), results, strict=True):
        if not result.exists() and (code := subprocess.call([harstream, *command[1:]])):
            fail("reproduce", f"{run.name} ended with exit code {code}; the same command resumes it")


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
    finished = {run: Figures.read(file) for run in all_runs() if (file := figures / run.figures_file).exists()}
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(papers_page(REPORTED, finished, data, split, out))
