"""`python -m harstream.evaluation.rows` records the rows of clips, with a network beside a model's encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from harstream.clips.listing import ListingError, as_background, find_clips
from harstream.clips.split_files import split_by_file
from harstream.command_line.errors import fail
from harstream.evaluation.rows.recording import WithPart, record
from harstream.models.contract import ContractError, DefaultView
from harstream.models.part_networks import PART_NETWORKS, POSE
from harstream.stream.recognition.onnx_runtime import OnnxPart, load_engine
from harstream.wire.errors import ModelError

app = typer.Typer(add_completion=False)


@app.command()
def rows(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    model: Annotated[str, typer.Option(help="A shipped model's name, or the folder of an exported one.")],
    data: Annotated[list[Path], typer.Option(help="A folder of class folders. It may be given several times.")],
    split: Annotated[Path, typer.Option(help="The file that says which clip is in which part.")],
    background: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of class folders without activities. It may be given several times."),
    ] = None,
    view: Annotated[DefaultView, typer.Option(help="What the networks see.")] = "motion",
    part: Annotated[str, typer.Option(help=f"The network beside the model: {' or '.join(PART_NETWORKS)}.")] = POSE.name,
    most: Annotated[int, typer.Option(min=1, help="The most windows of a clip.")] = 60,
) -> None:
    """Record the rows of a model, with the numbers of one more network behind them. Clips of `test` are left out."""
    if part not in PART_NETWORKS:
        fail("rows", f"expected --part {' or '.join(PART_NETWORKS)}, got {part!r}")
    network = PART_NETWORKS[part]
    try:
        engine = load_engine(model, "cpu")
        clips = [clip for folder in data for clip in find_clips(folder)]
        for folder in background or []:
            clips += as_background(find_clips(folder), engine.contract.background[0])
        clips = [clip for clip in split_by_file(clips, split) if clip.part != "test"]
        recognizer = WithPart(engine, network.part, OnnxPart(network.file, network.part, "cpu"))
        recorded, skipped = record(track(clips, "recording", transient=True), recognizer, view, most)
        recorded.save(out)
    except (ContractError, ListingError, ModelError, OSError) as error:
        fail("rows", error)
    Console().print(f"{out}: {len(recorded.rows)} rows of {len(set(recorded.clips))} clips; {len(skipped)} left out")


if __name__ == "__main__":
    app()
