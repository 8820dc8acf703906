"""`harstream export`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.catalogue import TRAINED

app = typer.Typer()


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The run folder of `harstream train`.")],
    name: Annotated[str, typer.Option(help="The model's name.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files; models/trained/NAME by default.")] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0",
) -> None:
    """Turn a trained run into ONNX files with their contract inside, checked against Keras on real windows."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from export.exporting import ExportError, export_run

    try:
        report = export_run(run, name, version, out or TRAINED / name)
    except ExportError as error:
        Console(stderr=True).print(f"harstream export: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    Console().print_json(json.dumps(report))
