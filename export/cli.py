"""The command `harstream export`."""

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
        float | None,
        typer.Option(
            min=0, max=1, help="The score below which a recognition is unknown. `harstream tune` finds a good value."
        ),
    ] = None,
    file_format: Annotated[
        FormatOption,
        typer.Option("--format", help="tflite is for small boards and needs a model of an encoder and a head."),
    ] = FormatOption.ONNX,
    quantize: Annotated[
        NumbersOption | None, typer.Option(help="Convolutions with 8-bit integers instead of float.")
    ] = None,
) -> None:
    """Export a trained run to files with their contract, and check them against Keras on real windows."""
    import_keras()
    from harstream.export.export_run import ExportError, export_run

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
