"""Writes the table of `harstream reproduce` in Markdown, and reads and writes the figures of finished runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from harstream.clips.listing import ListingError
from harstream.evaluation.number_format import percent
from harstream.evaluation.papers.runs import (
    FRAME_COUNTS,
    Reported,
    Run,
    all_runs,
    commands,
    frame_study,
    ours,
    runs_of,
    theirs,
    trained_our_way,
)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Figures:
    """The figures of a finished run, on test clips. Shares are between 0 and 1."""

    test_clips: int
    accuracy: float
    precision: float
    """Precision, recall and F1 are macro averages over classes."""
    recall: float
    f1: float
    parameters: int
    milliseconds: float
    """Time for a whole window on one thread."""
    milliseconds_of_default: float
    """Time of the shipped default model, measured in turns with this one."""
    epochs: int
    """Epochs that were trained."""

    @staticmethod
    def read(file: Path) -> Figures:
        """Read the figures. Raises ListingError for a file that `write` did not write."""
        try:
            return TypeAdapter(Figures).validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            problem = str(error).splitlines()[0]
            raise ListingError(f"cannot read {file}: delete it to repeat the run: {problem}") from error

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def __str__(self) -> str:
        return f"{percent(self.accuracy)} ({self.averages})"

    @property
    def averages(self) -> str:
        return " / ".join(map(percent, (self.precision, self.recall, self.f1)))


def papers_page(
    reported: Sequence[Reported], finished: Mapping[Run, Figures], data: Path, split: Path, out: Path
) -> str:
    frames = [
        (count, percent(finished[run].accuracy), finished[run].averages)
        for count, run in zip(FRAME_COUNTS, frame_study(), strict=True)
        if run in finished
    ]
    return _template().render(
        rows=[_row(each, finished) for each in reported],
        goals=[_goal(each, each.goal, finished) for each in reported if each.goal is not None],
        frames=frames,
        done=len(finished),
        total=len(all_runs(reported)),
        runs=[
            (run.name, figures.test_clips, figures.epochs, map(shlex.join, commands(run, data, split, out)))
            for run, figures in finished.items()
        ],
    )


def _template() -> Template:
    return Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True).get_template("papers.md.j2")  # noqa: S701 (Markdown, not HTML)


def _row(reported: Reported, finished: Mapping[Run, Figures]) -> list[str]:
    runs = runs_of(reported)
    known = next((finished[run] for run in runs[:3] if run and run in finished), None)
    said = percent(reported.accuracy) + (f" ({percent(reported.precision)})" if reported.precision else "")
    return [
        reported.paper, reported.arch, str(len(reported.classes)), f"{known.parameters:,}" if known else "",
        f"{known.milliseconds:.2f} ({known.milliseconds / known.milliseconds_of_default:.1f})" if known else "",
        said, *("–" if run is None else str(finished.get(run, "")) for run in runs),
    ]  # fmt: skip


def _goal(reported: Reported, goal: float, finished: Mapping[Run, Figures]) -> list[str]:
    """Return the accuracies on a random split, each with its distance from the goal in points."""
    runs = (theirs(reported, "random"), trained_our_way(reported), ours(reported, "random"))
    found = [finished.get(run) if run else None for run in runs]
    return [
        reported.arch, str(len(reported.classes)), percent(goal),
        *("" if each is None else f"{percent(each.accuracy)} ({100 * (each.accuracy - goal):+.1f})" for each in found),
        str(next((each.test_clips for each in found if each), "")),
    ]  # fmt: skip
