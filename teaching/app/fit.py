"""`harstream teach fit`: learns from all examples, reports, and writes the taught model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harstream.stream.app.common_options import ConfigOption, ModelOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.teaching.examples import ORDINARY, Examples, check_activity_name
from harstream.stream.teaching.taught_folder import TAUGHT
from harstream.teaching.app.options import (
    CameraOption,
    ExamplesOption,
    check_extra,
    examples_of,
    keys_with,
    open_base,
    view_line,
    view_of,
)

if TYPE_CHECKING:
    from harstream.stream.config.model import Config
    from harstream.stream.recognition.protocols import Engine
    from harstream.stream.recognition.views.settings import ViewSettings
    from harstream.teaching.lesson import Lesson, Progress, Taught

console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


def fit(
    ordinary: Annotated[
        list[Path] | None,
        typer.Option(
            help="Footage in which nothing of these happens: a video, or a folder. Repeatable. Default: `ordinary` in "
            "the configuration's `state`, if it is there."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the taught model. Default: `taught` in the configuration's `state`."),
    ] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Print each step, and no report, for a program.")] = False,
    camera: CameraOption = None,
    examples: ExamplesOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
) -> None:
    """Learn from all examples, report how well they are recognized, and write a model that `run` takes."""
    with one_line_errors():
        check_extra()
        from harstream.teaching.app.report import config_lines
        from harstream.teaching.lesson import write
        from harstream.teaching.taught_model import check_target

        chosen = read_config(config, keys=keys_with(camera))
        kept = examples_of(examples, chosen)
        target = out or chosen.state / TAUGHT
        check_target(target)
        recognizer, base = open_base(chosen, model)
        view = view_of(chosen, recognizer.contract, camera)
        footage = ordinary or [each for each in [chosen.state / ORDINARY] if each.exists()]
        with _progress(for_program=steps) as show:
            lesson, taught = _learn(kept, footage, recognizer, chosen, view, show)
        remarks = _remarks(taught, kept)
        if not steps:
            console.print(view_line(view))
            _report(taught, remarks)
        write(taught, lesson, base, recognizer, target, remarks)
        if not steps:
            console.print(f"\nwritten to {escape(str(target))}; to use it, put this into config.yaml:\n")
            console.print(escape(config_lines(taught.judgement, target)))


def _learn(
    kept: Examples, ordinary: list[Path], recognizer: Engine, config: Config, view: ViewSettings, show: Progress
) -> tuple[Lesson, Taught]:
    """Show what is done meanwhile."""
    from harstream.teaching.lesson import learn_and_judge, new_reader, read_lesson, videos_in

    for activity in kept.activities():
        check_activity_name(activity, recognizer.contract, ())
    examples, footage, number = kept.all(), videos_in(ordinary), count(1)
    videos = len(examples) + len(footage)

    def show_video(name: str) -> None:
        show(f"reading video {next(number)} of {videos}, {name}")

    lesson = read_lesson(examples, footage, new_reader(recognizer, config, view), recognizer, show_video)
    show("learning")
    return lesson, learn_and_judge(lesson, recognizer.contract, config)


@contextmanager
def _progress(*, for_program: bool) -> Iterator[Progress]:
    """Yield what shows the present step: on a line of its own for a program, else in one place for a person."""
    if for_program:
        yield lambda step: console.print(step, markup=False)
        return
    with console.status("reading videos") as status:
        yield lambda step: status.update(escape(step))


def _remarks(taught: Taught, kept: Examples) -> dict[str, list[str]]:
    from harstream.teaching.app.report import alike_notes, false_event_notes, warnings

    judgement = taught.judgement
    files = {name: kept.of(name) for name in kept.activities()}
    return {
        "notes": [*alike_notes(taught.alike), *false_event_notes(judgement, taught.contract)],
        "warnings": [*warnings(files, judgement, taught.contract)],
    }


def _report(taught: Taught, remarks: dict[str, list[str]]) -> None:
    from harstream.teaching.app.report import activity_table

    console.print(activity_table(taught.judgement, taught.contract), soft_wrap=False)
    for line in remarks["notes"]:
        console.print(escape(line))
    for line in remarks["warnings"]:
        errors.print(escape(line), style="yellow")
