"""`python -m harstream.teaching` writes known_windows.npz beside a model: what its training clips look like to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from harstream.clips.listing import ListingError, find_clips
from harstream.clips.split_files import split_by_file
from harstream.clips.video import VideoError
from harstream.command_line.errors import fail
from harstream.models.catalogue import ModelNotFound
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.teaching.requirements import base_files
from harstream.teaching.known_footage import EACH, middle_windows, some_of_each
from harstream.teaching.known_windows import write_known_windows
from harstream.teaching.lesson import new_reader
from harstream.wire.errors import ModelError

PART = "train"
app = typer.Typer(add_completion=False)


@app.command()
def known_windows(
    model: Annotated[str, typer.Option(help="A shipped model's name, or the folder of an exported one.")],
    data: Annotated[
        list[Path], typer.Option(help="A folder of class folders with clips. It may be given several times.")
    ],
    split: Annotated[Path, typer.Option(help="The file that says which clip is in which part.")],
    each: Annotated[int, typer.Option(min=1, help="Clips of each class, with one window each.")] = EACH,
) -> None:
    """Write the features of training clips of each class: one window each, in the middle of the clip."""
    try:
        clips = [clip for folder in data for clip in split_by_file(find_clips(folder), split) if clip.part == PART]
        chosen, files = some_of_each(clips, each), base_files(model)
        reader = new_reader(load_engine(model, "cpu"), Config())
        known = middle_windows([(clip, reader.read(clip.path)) for clip in track(chosen, "reading", transient=True)])
        path = write_known_windows(files, known)
    except (ListingError, ModelError, ModelNotFound, VideoError, OSError) as error:
        fail("teaching", error)
    Console().print(f"{path}: {len(known.classes)} windows of {len(chosen)} clips, {path.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    app()
