"""`python -m harstream.evaluation.people` counts the pictures in which somebody is found.

Where each clip shows a person, the share of pictures with somebody is the detector's recall. Drawn places without
anybody give its false detections.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from time import process_time
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from harstream.clips.listing import PARTS, ListingError, find_clips
from harstream.clips.split_files import split_by_file
from harstream.clips.video import VideoError, pictures
from harstream.command_line.errors import fail
from harstream.evaluation.people.empty_places import empty_places
from harstream.models.box import WHOLE
from harstream.models.picture import Picture
from harstream.stream.recognition.views.person_detector import LONGEST, PersonDetector, load_person_detector
from harstream.wire.errors import ModelError

app = typer.Typer(add_completion=False)
Sample = tuple[str, Picture]
"""The row of the table, and a picture that counts for it."""


@app.command()
def people(
    data: Annotated[Path | None, typer.Option(help="A folder of class folders with videos.")] = None,
    split: Annotated[Path | None, typer.Option(help="The file that says which clip is in which part.")] = None,
    part: Annotated[str, typer.Option(help=f"The part to measure, with --split: {', '.join(PARTS)}.")] = "val",
    group: Annotated[
        str, typer.Option(help="A regular expression; what its brackets match in FOLDER/FILE is a row of the table.")
    ] = "(.*)/",
    places: Annotated[int, typer.Option(min=0, help="Drawn places without anybody.")] = 0,
    interval: Annotated[float, typer.Option(min=0, help="Seconds between two pictures.")] = 1.0,
    longest: Annotated[int, typer.Option(min=32, help="Pixels of the longer side that the network sees.")] = LONGEST,
) -> None:
    """Print, for each group of clips, the share of pictures with somebody, and the processor time of a picture."""
    drawn = (("drawn, nobody there", picture) for picture in empty_places(places))
    try:
        files = _files(data, split, part) if data else []
        samples = chain(_of_clips(files, re.compile(group), interval), drawn)
        Console().print(_table(load_person_detector("cpu", longest=longest), samples))
    except (ListingError, ModelError, VideoError, OSError, re.error) as error:
        fail("people", error)


def _files(data: Path, split: Path | None, part: str) -> Iterator[Path]:
    clips = find_clips(data)
    for clip in clips if split is None else split_by_file(clips, split):
        if split is None or clip.part == part:
            yield clip.path


def _of_clips(files: Iterable[Path], group: re.Pattern[str], interval: float) -> Iterator[Sample]:
    """Yield a picture of each clip every `interval` seconds; clips that the expression does not match are left out."""
    for file in files:
        match = group.search(f"{file.parent.name}/{file.name}")
        due = 0.0
        for time, picture in pictures(file) if match else ():
            if time >= due:
                due = time + interval - 1e-6
                yield "".join(match.groups() if match else ()), picture


def _table(detector: PersonDetector, samples: Iterable[Sample]) -> Table:
    found: dict[str, list[int]] = defaultdict(list)
    milliseconds = []
    for row, picture in samples:
        start = process_time()
        found[row].append(len(detector.detect(picture, WHOLE)))
        milliseconds.append(1000 * (process_time() - start))
    table = Table("pictures of", "number", "with somebody", "with two or more", "people a picture", box=None)
    everything = [count for counts in found.values() for count in counts]
    for row, counts in [*sorted(found.items()), ("all", everything)]:
        numbers = np.array(counts or [0])
        shares = (f"{100 * (numbers >= least).mean():.1f} %" for least in (1, 2))
        table.add_row(row, str(len(counts)), *shares, f"{numbers.mean():.2f}")
    quantiles = np.quantile(milliseconds or [0.0], (0.05, 0.5, 0.95))
    table.caption = "milliseconds of processor time a picture, 5 / 50 / 95 %: " + " / ".join(
        f"{value:.1f}" for value in quantiles
    )
    return table


if __name__ == "__main__":
    app()
