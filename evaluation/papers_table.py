"""The table of `harstream reproduce`, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

from evaluation.papers import FRAME_COUNTS, Reported, Run, frame_study, ours, theirs
from evaluation.timing import milliseconds_per_window
from models.catalogue import find_model
from stream.engine import OnnxRecognizer


@dataclass(frozen=True)
class Finished:
    """What a run left behind."""

    report: Mapping[str, Any]
    """`metrics` of the report of `evaluate --json`."""
    parameters: int
    model: Path
    """The folder of its ONNX files."""
    commands: tuple[str, ...]

    @property
    def accuracy(self) -> str:
        clips = self.report["clips"]
        return f"{_percent(clips['accuracy'])} ({self.averages})"

    @property
    def averages(self) -> str:
        clips = self.report["clips"]
        return " / ".join(_percent(clips[f"{name}_macro"]) for name in ("precision", "recall", "f1"))


def markdown(reported: Sequence[Reported], finished: Mapping[Run, Finished]) -> str:
    times = _milliseconds(finished)
    rows = [_row(each, finished, times) for each in reported]
    frames = [
        (count, _percent(finished[run].report["clips"]["accuracy"]), finished[run].averages)
        for count, run in zip(FRAME_COUNTS, frame_study(), strict=True)
        if run in finished
    ]
    return _template().render(
        rows=rows,
        frames=frames,
        done=len(finished),
        total=len({run for each in reported for run in _runs(each)} | set(frame_study())),
        commands=[(run.name, each.commands) for run, each in finished.items()],
    )


def _template() -> Template:
    return Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True).get_template("papers.md.j2")


def _runs(reported: Reported) -> tuple[Run, Run, Run, Run]:
    return (
        theirs(reported, "random"), theirs(reported, "cluster"), ours(reported, "random"), ours(reported, "cluster"),
    )  # fmt: skip


def _row(reported: Reported, finished: Mapping[Run, Finished], times: Mapping[Run, float]) -> list[str]:
    figures = [finished[run].accuracy if run in finished else "" for run in _runs(reported)]
    run = next((run for run in _runs(reported)[:2] if run in finished), None)
    said = _percent(reported.accuracy) + (f" ({_percent(reported.precision)})" if reported.precision else "")
    return [
        reported.paper, reported.arch, str(len(reported.classes)), f"{finished[run].parameters:,}" if run else "",
        f"{times[run]:.2f}" if run else "", said, *figures,
    ]  # fmt: skip


def _milliseconds(finished: Mapping[Run, Finished]) -> dict[Run, float]:
    engines = [OnnxRecognizer(find_model(str(each.model)), "cpu") for each in finished.values()]
    return dict(zip(finished, milliseconds_per_window(engines), strict=True))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
