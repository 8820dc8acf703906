"""The command that draws a data set of short clips into class folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.progress import track

from harstream.command_line.errors import fail
from harstream.scene.film import frames
from harstream.scene.script import ACTIVITIES, single

GROUP = 2
"""Clips that share one person and one place."""
CLIP_SIZE = (160, 120)
"""(width, height) in pixels, as the training clips of UCF101 are scaled."""

app = typer.Typer(add_completion=False)


@app.command()
def draw(
    out: Annotated[Path, typer.Option(help="A new or empty folder for the class folders.")],
    clips: Annotated[
        int, typer.Option(min=1, help="Clips of each activity; there are twice as many of the background.")
    ] = 40,
    seconds: Annotated[float, typer.Option(min=0.2, help="Length of a clip.")] = 6.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides people and places.")] = 1000,
) -> None:
    """Draw clips of all activities, and of none of them, as video files for training and tests.

    SPLIT.tsv puts a fifth of the looks into val. A look is one person in one place: a group, numbered by its seed.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fail("draw", f"--out must be a new or empty folder, but {out} is not")
    total = clips * (len(ACTIVITIES) + 2)
    rows = ["file\tclass\tgroup\tcluster\tsplit"]
    for activity, number in track(_jobs(clips), description="drawing", total=total):
        look, take = seed + number // GROUP, number % GROUP
        name = activity or "background"
        file = f"{name}/v_{name}_g{look:02d}_c{take + 1:02d}.mp4"
        _write(out / file, activity, look, take, seconds)
        rows.append(f"{file}\t{name}\tg{look:02d}\tg{look:02d}\t{'val' if look % 5 == 0 else 'train'}")
    (out / "SPLIT.tsv").write_text("\n".join(rows) + "\n")


def _jobs(clips: int) -> Iterator[tuple[str | None, int]]:
    for activity in (*ACTIVITIES, None):
        for number in range(clips if activity else 2 * clips):
            yield activity, number


def _write(path: Path, activity: str | None, look: int, take: int, seconds: float) -> None:
    """Raises OSError if the video cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = 25.0 if look % 2 else 29.97
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, CLIP_SIZE)
    if not video.isOpened():
        raise OSError(f"cannot write the video {path}")
    try:
        for _, picture in frames(single(activity, take, seconds), look, rate):
            video.write(cv2.resize(picture, CLIP_SIZE, interpolation=cv2.INTER_AREA))
    finally:
        video.release()
