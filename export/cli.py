"""`harstream export`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harstream.command_line.errors import fail
from harstream.models.catalogue import TRAINED
from harstream.models.finished_run import UnreadableRun
from harstream.models.keras_import import import_keras

app = typer.Typer()


class FormatOption(StrEnum):
    ONNX = "onnx"
    TFLITE = "tflite"


class NumbersOption(StrEnum):
    INT8 = "int8"


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The run folder of `harstream train`.")],
    name: Annotated[str, typer.Option(help="The model's name.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files; models/trained/NAME by default.")] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0",
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Below it a recognition is unknown; `harstream tune` finds one.")
    ] = None,
    file_format: Annotated[
        FormatOption, typer.Option("--format", help="tflite: for small boards; models of an encoder and a head.")
    ] = FormatOption.ONNX,
    quantize: Annotated[
        NumbersOption | None, typer.Option(help="8-bit integers in place of float, for the convolutions.")
    ] = None,
) -> None:
    """Turn a trained run into files with their contract inside, checked against Keras on real windows."""
    import_keras()
    from harstream.export.onnx_export import ExportError, export_run

    folder = out or TRAINED / name
    tflite, int8 = file_format is FormatOption.TFLITE, quantize is NumbersOption.INT8
    try:
        report = export_run(run, name, version, folder, threshold=threshold, tflite=tflite, int8=int8)
    except (ExportError, UnreadableRun) as error:
        fail("export", error)
    Console().print_json(json.dumps(report))
    if tflite or int8:
        Console(stderr=True, soft_wrap=True).print(
            f"compare its accuracy with the float model: harstream evaluate --model {folder} --model FLOAT --data ...",
            style="yellow",
            markup=False,
        )
