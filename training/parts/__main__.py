"""`python -m harstream.training.parts` trains a network on a part of rows, and weighs it against their model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harstream.command_line.errors import fail
from harstream.models.catalogue import ModelNotFound, find_model
from harstream.models.contract import ContractError
from harstream.models.keras_import import import_keras
from harstream.models.part_networks import PART_NETWORKS
from harstream.models.recorded_rows import RecordedRows
from harstream.training.errors import TrainingError

app = typer.Typer(add_completion=False)


@app.command()
def parts(
    rows: Annotated[Path, typer.Option(help="The file that `python -m harstream.evaluation.rows` wrote.")],
    model: Annotated[str, typer.Option(help="The model whose rows were recorded.")],
    out: Annotated[Path, typer.Option(help="The run folder to write.")],
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the clips.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of weights and changes.")] = 0,
) -> None:
    """Train on the rows of part train. Choose temperature and weights on those of part val."""
    import_keras()
    from harstream.training.exported_weights import exported_contract
    from harstream.training.parts.join import joined
    from harstream.training.parts.train import train_part

    try:
        recorded, contract = RecordedRows.load(rows), exported_contract(find_model(model))
        network = PART_NETWORKS[recorded.network]
        trained, classes = train_part(recorded, network, contract, epochs, seed)
        command = " ".join(["python -m harstream.training.parts", *sys.argv[1:]])
        run, figures = joined(trained, classes, recorded, network, contract, command)
        run.save(out, trained)
    except (ContractError, ModelNotFound, TrainingError, OSError, ValueError) as error:
        fail("parts", error)
    console = Console()
    for name, found in figures.items():
        console.print(f"{name}: {found.windows:.1%} of windows and {found.clips:.1%} of clips are right on validation")
    a, b = run.fusion.weights
    console.print(f"{out}: weights {a:g} and {b:g}, temperature {run.temperature:.3f}")


if __name__ == "__main__":
    app()
