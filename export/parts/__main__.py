"""`python -m harstream.export.parts` joins a model and the trained network of a part into a new model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harstream.command_line.errors import fail
from harstream.models.catalogue import TRAINED, ModelNotFound, find_model
from harstream.models.contract import ContractError
from harstream.models.finished_run import UnreadableRun
from harstream.models.keras_import import import_keras

app = typer.Typer(add_completion=False)


@app.command()
def parts(
    run: Annotated[Path, typer.Option(help="The folder that `python -m harstream.training.parts` wrote.")],
    base: Annotated[str, typer.Option(help="The model to join it to: a shipped name, or an exported folder.")],
    name: Annotated[str, typer.Option(help="The new model's name.")],
    threshold: Annotated[float, typer.Option(min=0, max=1, help="A smoothed score below this is unknown.")],
    version: Annotated[str, typer.Option(help="The new model's version.")] = "1.0.0",
    out: Annotated[Path | None, typer.Option(help="The folder to write; by default models/trained/NAME.")] = None,
) -> None:
    """Write encoder, parts and head with their contract, and check that the head computes what its parts do."""
    import_keras()
    from harstream.export.export_run import ExportError
    from harstream.export.parts.write_part_model import write_part_model
    from harstream.export.verify import OutputsDiffer

    folder, changes = out or TRAINED / name, {"name": name, "version": version, "unknown_threshold": threshold}
    try:
        report = write_part_model(folder, find_model(base), run, changes)
    except (ContractError, ExportError, ModelNotFound, OutputsDiffer, UnreadableRun, OSError) as error:
        fail("parts", error)
    Console().print(f"{folder}: the head differs from its parts by {report['largest_difference']['head']:.1e} at most")


if __name__ == "__main__":
    app()
