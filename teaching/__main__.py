"""`python -m harstream.teaching` writes known_windows.npz beside a model: what its training clips look like to it."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from harstream.clips.listing import Clip, ListingError, find_clips
from harstream.clips.split_files import split_by_file
from harstream.clips.video import VideoError
from harstream.command_line.errors import fail
from harstream.models.catalogue import ModelNotFound
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.teaching.known_windows import write_known_windows
from harstream.teaching.lesson import new_reader
from harstream.teaching.taught_model import base_files
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
    each: Annotated[int, typer.Option(min=1, help="Clips of each class, with one window each.")] = 24,
) -> None:
    """Write the features of training clips of each class: one window each, in the middle of the clip."""
    try:
        clips = [clip for folder in data for clip in split_by_file(find_clips(folder), split) if clip.part == PART]
        chosen, files = _some_of_each(clips, each), base_files(model)
        reader = new_reader(load_engine(model, "cpu"), Config())
        read = [reader.read(clip.path) for clip in track(chosen, description="reading", transient=True)]
        moving = [windows.features[windows.moves] for windows in read if windows.moves.any()]
        path = write_known_windows(files, np.stack([features[len(features) // 2] for features in moving]))
    except (ListingError, ModelError, ModelNotFound, VideoError, OSError) as error:
        fail("teaching", error)
    Console().print(f"{path}: {len(moving)} windows of {len(chosen)} clips, {path.stat().st_size >> 10} KiB")


def _some_of_each(clips: list[Clip], number: int) -> list[Clip]:
    """Return so many clips of each class, of as many groups as possible. The choice is the same each time."""
    by_class: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        by_class[clip.label][clip.group].append(clip)
    chosen: list[Clip] = []
    for label, groups in sorted(by_class.items()):
        shuffled = list(groups.values())
        random.Random(label).shuffle(shuffled)
        turns = [group[turn] for turn in range(max(map(len, shuffled))) for group in shuffled if turn < len(group)]
        chosen += turns[:number]
    return chosen


if __name__ == "__main__":
    app()
