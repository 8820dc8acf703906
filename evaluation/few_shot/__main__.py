"""`python -m harstream.evaluation.few_shot` measures what `harstream teach` learns from a few clips of an activity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harstream.clips.listing import Clip, ListingError
from harstream.command_line.errors import fail
from harstream.evaluation.few_shot.draw import Figures, Footage, draw
from harstream.evaluation.few_shot.footage import Folders, read_footage
from harstream.models.catalogue import ModelNotFound
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.views.settings import ViewKind
from harstream.stream.teaching.requirements import base_files
from harstream.wire.errors import HarstreamError

app = typer.Typer(add_completion=False)
MODEL = "flow_tcn"


@app.command()
def few_shot(
    new: Annotated[list[Path], typer.Option(help="A class folder that is taught as a new activity. Repeatable.")],
    split: Annotated[Path, typer.Option(help="The file that says which clip is in which part.")],
    known: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of class folders that stand for what the model knows. Repeatable."),
    ] = None,
    everyday: Annotated[
        Path | None, typer.Option(help="A folder of class folders: its part `train` is ordinary footage.")
    ] = None,
    part: Annotated[str, typer.Option(help="What is recognized: val, or test for final figures alone.")] = "val",
    each: Annotated[list[int] | None, typer.Option(help="Examples of each activity. Default: 5 and 10.")] = None,
    draws: Annotated[int, typer.Option(min=1, help="How often examples are drawn.")] = 8,
    model: Annotated[str, typer.Option(help="The model that is taught.")] = MODEL,
    view: Annotated[
        ViewKind | None, typer.Option(help="What the model sees. Default: what the model was made for.")
    ] = None,
) -> None:
    """Draw examples of new activities from the part `train`, teach them, and recognize the clips of another part."""
    console, config = Console(), Config(view=view)
    try:
        base_files(model)
        recognizer = load_engine(model, "cpu")
        folders = Folders(tuple(new), tuple(known or ()), everyday, split, part)
        footage = read_footage(folders, recognizer, config, _progress)
        rows = [
            (number, [draw(footage, number, seed, recognizer.contract, config) for seed in _seeds(draws)])
            for number in each or (5, 10)
        ]
    except (ListingError, ModelNotFound, OSError) as error:
        fail("few_shot", error)
    except HarstreamError as error:
        fail("few_shot", error, error.exit_code)
    console.print(_table(rows, footage))
    console.print(f"measured with view: {config.view_settings(recognizer.contract).kind}")


def _progress(clips: Sequence[Clip]) -> Iterable[Clip]:
    return track(clips, description="reading", transient=True)


def _seeds(draws: int) -> Iterable[int]:
    return track(range(draws), description="teaching", transient=True)


def _table(rows: Sequence[tuple[int, Sequence[Figures]]], footage: Footage) -> Table:
    columns = ("examples", "windows", "clips", "found", "false events an hour", "shipped clips right", "before")
    table = Table(*columns, box=None, title=f"{len(footage.pool)} new activities", title_justify="left")
    for number, draws in rows:
        false = sum(each.false_events for each in draws), sum(each.hours for each in draws)
        table.add_row(
            str(number),
            *(_percent([getattr(each, name) for each in draws]) for name in ("windows", "clips", "found")),
            f"{false[0] / false[1]:.1f} ({false[0]} in {false[1]:.2f} h)" if false[1] else "",
            *(_percent([getattr(each, name) for each in draws]) for name in ("shipped_after", "shipped_before")),
        )
    clips = sum(map(len, footage.tested.values()))
    table.caption = f"mean of {len(rows[0][1])} draws ± their deviation; {clips} clips of the new activities"
    table.caption_justify = "left"
    return table


def _percent(draws: Sequence[Sequence[float]]) -> str:
    means = [100 * float(np.mean(each)) for each in draws if len(each)]
    return f"{np.mean(means):.1f} ± {np.std(means):.1f}" if means else ""


if __name__ == "__main__":
    app()
