"""The command `harstream import`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from harstream.command_line.errors import fail
from harstream.command_line.options import with_options
from harstream.models.contract import ContractError, DefaultView, ModelContract
from harstream.models.keras_import import import_keras

if TYPE_CHECKING:
    from harstream.export.import_model import Meaning


class ScaleOption(StrEnum):
    ZERO_TO_ONE = "0..1"
    MINUS_ONE_TO_ONE = "-1..1"
    BYTES = "0..255"


@dataclass(frozen=True)
class ImportOptions:
    """What the file of a model does not say about it."""

    labels: Annotated[str, typer.Option(help="The labels in the order of the outputs: a,b,c or a file, one per line.")]
    name: Annotated[str, typer.Option(help="The model's name.")]
    scale: Annotated[ScaleOption, typer.Option(help="The values of a colour that the model was trained with.")]
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=120,
            help="Frames per second that the model was trained on. Leave it out if they were spread evenly over clips: "
            "the model can then be evaluated, but not streamed.",
        ),
    ] = None  # fmt: skip
    bgr: Annotated[bool, typer.Option("--bgr", help="The colours are in OpenCV's order, not RGB.")] = False
    logits: Annotated[bool, typer.Option("--logits", help="The model ends without a softmax: add one.")] = False
    background: Annotated[str, typer.Option(help="The labels that are no activity, separated by commas.")] = ""
    view: Annotated[
        DefaultView,
        typer.Option(
            help="What the model is shown where nothing else is asked. motion, the box of what moves, is for a model "
            "that was trained on boxes around people."
        ),
    ] = "picture"
    threshold: Annotated[float, typer.Option(min=0, max=1, help="The score below which a recognition is unknown.")] = (
        0.8
    )
    out: Annotated[Path | None, typer.Option(help="Folder for the files; ./NAME by default.")] = None
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0"

    def meaning(self) -> Meaning:
        """Raises OSError and UnicodeDecodeError for a file of labels that cannot be read."""
        from harstream.export.import_model import Meaning

        return Meaning(
            name=self.name, version=self.version, labels=_labels(self.labels), background=_split(self.background),
            rate=self.rate, scale=self.scale.value, channels="BGR" if self.bgr else "RGB", threshold=self.threshold,
            has_logits=self.logits, view=self.view,
        )  # fmt: skip


@with_options(options=ImportOptions)
def import_(
    model: Annotated[Path, typer.Argument(help="A .keras, .h5 or .onnx file. It takes windows of pictures.")],
    *,
    options: Mapping[str, Any],
) -> None:
    """Turn a model from elsewhere into an ONNX file that says what it expects, and check it against its source.

    It gives one folder, which `harstream run --model FOLDER` takes.
    """
    import_keras()
    from harstream.export.export_run import ExportError
    from harstream.export.import_model import CannotImport, import_model

    chosen = ImportOptions(**options)
    folder = chosen.out or Path(chosen.name)
    try:
        contract = import_model(model, chosen.meaning(), folder)
    except (CannotImport, ContractError, ExportError, OSError, UnicodeDecodeError) as error:
        fail("import", error)
    _report(folder, contract)


def _report(folder: Path, contract: ModelContract) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{folder}: {len(contract.labels)} labels, windows of {contract.frames} frames of "
        f"{contract.height} x {contract.width}",
        markup=False,
    )
    if contract.rate is None:
        console.print(
            "It cannot be streamed, because a stream has no clips to spread frames over. If it was trained on frames "
            "that follow each other in a fixed rhythm, import it again with --rate.",
            style="yellow",
        )


def _labels(text: str) -> tuple[str, ...]:
    file = Path(text)
    if "," not in text and file.is_file():
        return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
