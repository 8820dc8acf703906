"""`harstream teach`: keeps examples of a user's own activities, and teaches a model from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harstream.stream.app.common_options import ConfigOption, ModelOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.teaching.examples import check_activity_name
from harstream.teaching.app.fit import fit
from harstream.teaching.app.options import (
    KEYS,
    ActivityOption,
    CameraOption,
    ExamplesOption,
    check_extra,
    examples_of,
    how_many,
    keys_with,
    open_base,
    view_line,
    view_of,
)
from harstream.teaching.app.record import record

teach = typer.Typer(no_args_is_help=True, help="Teach activities of your own.")
console = Console(highlight=False, soft_wrap=True)


@teach.command()
def add(
    files: Annotated[list[Path], typer.Argument(help="Videos of a few seconds, each an example.", metavar="FILE...")],
    activity: ActivityOption,
    camera: CameraOption = None,
    examples: ExamplesOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
) -> None:
    """Add examples of an activity. They are copied, after a look whether the model sees something in them."""
    with one_line_errors():
        check_extra()
        from harstream.teaching.lesson import new_reader, read_example

        chosen = read_config(config, keys=keys_with(camera))
        kept = examples_of(examples, chosen)
        recognizer, _ = open_base(chosen, model)
        check_activity_name(activity, recognizer.contract, kept.activities())
        view = view_of(chosen, recognizer.contract, camera)
        reader = new_reader(recognizer, chosen, view)
        for file in files:
            read_example(reader, file, recognizer.contract)
        kept.add(activity, files)
        console.print(view_line(view))
        console.print(how_many(kept, activity))


@teach.command("list")
def list_(examples: ExamplesOption = None, config: ConfigOption = None) -> None:
    """List the examples of each activity."""
    with one_line_errors():
        kept = examples_of(examples, read_config(config, keys=KEYS))
        for activity in kept.activities():
            names = [path.name for path in kept.of(activity)]
            console.print(f"[bold]{escape(activity)}[/]  {len(names)}: {escape(', '.join(names))}")
        if not kept.activities():
            console.print(f"there are no examples in {escape(str(kept.folder))}: `harstream teach add` adds some")


@teach.command()
def remove(
    activity: ActivityOption,
    names: Annotated[
        list[str] | None, typer.Argument(help="The names of the files to delete. Default: all.", metavar="[NAME...]")
    ] = None,
    examples: ExamplesOption = None,
    config: ConfigOption = None,
) -> None:
    """Delete examples of an activity. The taught model changes at the next `harstream teach fit`."""
    with one_line_errors():
        kept = examples_of(examples, read_config(config, keys=KEYS))
        removed = kept.remove(activity, names or ())
        console.print(f"deleted {len(removed)} example(s) of {escape(activity)}")


teach.command()(record)
teach.command()(fit)
