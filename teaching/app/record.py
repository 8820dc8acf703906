"""`harstream teach record`: records examples with a camera, after a countdown for each."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harstream.stream.app.common_options import ConfigOption, ModelOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.teaching.examples import check_activity_name
from harstream.teaching.app.options import (
    KEYS,
    ActivityOption,
    CameraOption,
    ExamplesOption,
    check_extra,
    examples_of,
    how_many,
    open_base,
    the_camera,
    view_line,
    view_of,
)
from harstream.wire.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Generator

    from harstream.stream.config.camera import CameraConfig
    from harstream.stream.teaching.recording import RecordingPlan

console = Console(highlight=False, soft_wrap=True)


def record(
    activity: ActivityOption,
    camera: CameraOption = None,
    number: Annotated[int, typer.Option(min=1, max=100, help="How many examples.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Length of each example.")] = 8.0,
    pause: Annotated[float, typer.Option(min=0, max=600, help="Seconds before each, to take one's place.")] = 5.0,
    examples: ExamplesOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
) -> None:
    """Record examples of an activity with a camera of config.yaml. Ctrl-C ends it; whole examples are kept."""
    with one_line_errors():
        check_extra()
        from harstream.stream.teaching.recording import RecordingPlan
        from harstream.teaching.lesson import new_reader, read_example

        chosen = read_config(config, keys=(*KEYS, "cameras"))
        kept = examples_of(examples, chosen)
        recognizer, _ = open_base(chosen, model)
        check_activity_name(activity, recognizer.contract, kept.activities())
        watched = the_camera(chosen, camera)
        view = view_of(chosen, recognizer.contract, watched.name)
        reader = new_reader(recognizer, chosen, view)
        with closing(_recorded(watched, RecordingPlan(number, seconds, pause))) as files:
            for file in files:
                try:
                    read_example(reader, file, recognizer.contract)
                except SourceError as error:
                    console.print(f"not kept: {error}", style="yellow", markup=False)
                    continue
                kept.add(activity, [file])
        console.print(view_line(view))
        console.print(how_many(kept, activity))


def _recorded(camera: CameraConfig, plan: RecordingPlan) -> Generator[Path]:
    """Yield each recorded file, in a folder that is deleted at the end. Raises SourceError."""
    import threading

    from harstream.stream.sources.clock import Clock
    from harstream.stream.sources.registry import new_source
    from harstream.stream.teaching.recording import recorded

    source = new_source(camera.name, camera.parsed_source, Clock(), must_open=True)(threading.Event())
    with TemporaryDirectory() as folder, console.status(f"opening {escape(camera.name)}") as status:
        frames = source.frames()
        try:
            with closing(recorded(frames, plan, Path(folder), lambda now: status.update(escape(str(now))))) as files:
                yield from files
        finally:
            frames.close()  # type: ignore[attr-defined]
