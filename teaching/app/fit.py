"""`harstream teach fit`: learns from all examples, reports, and writes the taught model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harstream.stream.app.common_options import ConfigOption, ModelOption, read_config
from harstream.stream.app.terminal import one_line_errors
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
from harstream.teaching.examples import Examples, check_activity_name

if TYPE_CHECKING:
    from harstream.stream.config.model import Config
    from harstream.stream.recognition.protocols import Engine
    from harstream.stream.recognition.views.settings import ViewSettings
    from harstream.teaching.lesson import Lesson, Taught

TAUGHT = "taught"
"""The folder of the taught model in the configuration's `state`."""
console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


def fit(
    ordinary: Annotated[
        list[Path] | None,
        typer.Option(help="Footage in which nothing of these happens: a video, or a folder. Repeatable."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the taught model. Default: `taught` in the configuration's `state`."),
    ] = None,
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
        lesson, taught = _learn(kept, ordinary or [], recognizer, chosen, view)
        console.print(view_line(view))
        _report(taught, kept)
        write(taught, lesson, base, recognizer, target)
        console.print(f"\nwritten to {escape(str(target))}; to use it, put this into config.yaml:\n")
        console.print(escape(config_lines(taught.judgement, target)))


def _learn(
    kept: Examples, ordinary: list[Path], recognizer: Engine, config: Config, view: ViewSettings
) -> tuple[Lesson, Taught]:
    """Show what is done meanwhile."""
    from harstream.teaching.lesson import learn_and_judge, new_reader, read_lesson, videos_in

    for activity in kept.activities():
        check_activity_name(activity, recognizer.contract, ())
    with console.status("reading videos") as status:
        reader = new_reader(recognizer, config, view)
        lesson = read_lesson(
            kept.all(), videos_in(ordinary), reader, recognizer, lambda name: status.update(f"reading {escape(name)}")
        )
        status.update("learning")
        return lesson, learn_and_judge(lesson, recognizer.contract, config)


def _report(taught: Taught, kept: Examples) -> None:
    from harstream.teaching.app.report import activity_table, alike_notes, notes, warnings

    judgement, contract = taught.judgement, taught.contract
    console.print(activity_table(judgement, contract), soft_wrap=False)
    for line in (*alike_notes(taught.alike), *notes(judgement, contract)):
        console.print(escape(line))
    for line in warnings({name: kept.of(name) for name in kept.activities()}, judgement):
        errors.print(escape(line), style="yellow")
