"""`harstream forecast explain`: says why an activity is expected, from the diary."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from harstream.forecast.app.options import (
    KEYS,
    StateOption,
    StructureOption,
    ZoneOption,
    existing_diary,
    folder_of,
    structure_of,
    zone_of,
)
from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors


def explain(
    activity: Annotated[
        str | None, typer.Argument(help="An activity. Default: the one that goes on, else the last one.")
    ] = None,
    config: ConfigOption = None,
    camera: Annotated[str | None, typer.Option(help="Only what this camera saw.")] = None,
    hour: Annotated[
        float | None, typer.Option(min=0, max=24, help="The local time of day, in hours. Default: now.")
    ] = None,
    structure: StructureOption = None,
    zone: ZoneOption = None,
    state: StateOption = None,
) -> None:
    """Show what followed an activity, how the hour changes that, how long the activity lasts, and what dbn looks at."""
    with one_line_errors():
        import time

        from harstream.forecast.evaluation.explanation import explanation_of, read_pasts
        from harstream.forecast.evaluation.explanation_table import tables
        from harstream.forecast.learning.local_time import hour_of
        from harstream.forecast.predictors.structure import read_structure

        home_zone = zone_of(zone)
        diary = existing_diary(folder_of(state, read_config(config, keys=KEYS)))
        diary.start()
        try:
            past = read_pasts(diary, home_zone, time.time(), camera)
            going_on = diary.going_on(camera)
        finally:
            diary.close()
        parents = structure_of(structure) or read_structure()
        at = hour_of(time.time(), home_zone) if hour is None else hour % 24
        known = going_on if going_on in past.states.activities else None
        Console(highlight=False).print(tables(explanation_of(past, activity or known, at, parents)))
