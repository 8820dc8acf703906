"""The results that the papers report, and the runs that reproduce them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

FOUR = ("Basketball", "PushUps", "Swing", "WalkingWithDog")
FIVE = ("Basketball", "Biking", "JumpRope", "Punch", "TrampolineJumping")
TEN = (
    "Basketball", "Biking", "Diving", "JumpRope", "JumpingJack", "Lunges", "PullUps", "Punch", "PushUps", "Swing",
)  # fmt: skip
"""The classes of the papers that are among the twelve classes of the data."""

SplitWay = Literal["random", "cluster"]


@dataclass(frozen=True)
class Reported:
    """One line of a paper's results. Shares are between 0 and 1, or None if the paper does not report them."""

    paper: str
    arch: str
    preset: str
    classes: tuple[str, ...]
    accuracy: float
    precision: float | None = None
    goal: float | None = None
    """The accuracy that this project wants to reach with the paper's model on a random split."""


REPORTED = (
    Reported("rana", "lrcn", "rana", FOUR, 0.8693, goal=0.8693),
    Reported("rana", "convlstm", "rana", FOUR, 0.7925, goal=0.7925),
    Reported("graduate study", "lrcn", "rana", FOUR, 0.8770),
    Reported("graduate study", "convlstm", "rana", FOUR, 0.7705),
    Reported("dheeraj", "convlstm", "dheeraj", FOUR, 0.80),
    Reported("hamzah", "lrcn", "hamzah", FIVE, 0.8837),
    Reported("hamzah", "convlstm", "hamzah", FIVE, 0.8840),
    Reported("jeevakumari", "lrcn_large", "jeevakumari", TEN, 0.9667, 0.9689, goal=0.9667),
    Reported("jeevakumari", "convlstm_large", "jeevakumari", TEN, 0.8778, 0.8769, goal=0.8778),
)
"""The lower end of dheeraj's range, 0.80 to 0.89."""

FRAME_COUNTS = (10, 20, 30)
"""Frames per window in jeevakumari's study."""


@dataclass(frozen=True)
class Run:
    """One training and its evaluation on the test part of its own split."""

    arch: str
    preset: str
    classes: tuple[str, ...]
    way: SplitWay
    frames: int = 20
    stops_early: bool = True
    """Whether it stops early, as in the paper; otherwise all epochs run and the best one is kept."""
    epochs: int | None = None
    """Number of epochs. None means the number of the preset."""

    @property
    def name(self) -> str:
        return f"{self.preset}-{self._variant}"

    @property
    def figures_file(self) -> Path:
        """The file with its figures, relative to the folder of all figures. Each preset has its own folder."""
        return Path(self.preset, f"{self._variant}.json")

    @property
    def _variant(self) -> str:
        more = ("" if self.frames == 20 else f"-{self.frames}frames") + ("" if self.stops_early else "-all-epochs")
        return f"{self.arch}-{len(self.classes)}classes-{self.way}{more}"


SHIPPED = ("flow_tcn", "live")
"""Architecture and preset of the default model."""


def theirs(reported: Reported, way: SplitWay) -> Run:
    return Run(reported.arch, reported.preset, reported.classes, way)


def to_the_last_epoch(reported: Reported) -> Run | None:
    """Return the paper's recipe on a random split without early stopping, or None for a recipe of 400 epochs."""
    run = theirs(reported, "random")
    return None if reported.preset == "jeevakumari" else replace(run, stops_early=False)


def trained_our_way(reported: Reported) -> Run | None:
    """Return the paper's model and frames with this project's training on a random split, or None without a goal."""
    if not any(each.goal for each in REPORTED if (each.arch, each.classes) == (reported.arch, reported.classes)):
        return None
    return Run(reported.arch, "even", reported.classes, "random", epochs=60 if reported.classes == TEN else None)


def ours(reported: Reported, way: SplitWay) -> Run:
    arch, preset = SHIPPED
    return Run(arch, preset, reported.classes, way)


def frame_study() -> tuple[Run, ...]:
    return tuple(Run("lrcn_large", "jeevakumari", TEN, "random", frames) for frames in FRAME_COUNTS)


def all_runs(reported: Sequence[Reported] = REPORTED) -> list[Run]:
    """Return each run once. The order of the papers puts cheap runs first."""
    runs = [run for each in reported for run in runs_of(each)]
    return list(dict.fromkeys([*filter(None, runs), *frame_study()]))


def runs_of(reported: Reported) -> tuple[Run, Run | None, Run, Run | None, Run, Run]:
    """Return the runs of one line, in the order of the table's columns."""
    return (
        theirs(reported, "random"), to_the_last_epoch(reported), theirs(reported, "cluster"),
        trained_our_way(reported), ours(reported, "random"), ours(reported, "cluster"),
    )  # fmt: skip


def commands(run: Run, data: Path, split: Path, out: Path) -> list[list[str]]:
    """Return the commands that give the run's figures: train, export, evaluate."""
    folder = out / run.name
    trained = [
        "harstream", "train", "--data", str(data), "--classes", ",".join(run.classes), "--preset", run.preset,
        "--arch", run.arch, "--frames", str(run.frames), "--split", "random" if run.way == "random" else str(split),
        "--out", str(folder), *([] if run.stops_early else ["--patience", "0"]),
        *([] if run.epochs is None else ["--epochs", str(run.epochs)]),
    ]  # fmt: skip
    exported = ["harstream", "export", str(folder), "--name", run.name, "--out", str(folder / "onnx")]
    evaluated = [
        "harstream", "evaluate", "--model", str(folder / "onnx"), "--data", str(data),
        "--split", str(folder / "split.tsv"), "--part", "test", "--json", str(folder / "report.json"),
    ]  # fmt: skip
    return [trained, exported, evaluated]
