"""`harstream forecast train`: fills the diary from files of past activities."""

from __future__ import annotations

from rich.console import Console

from harstream.forecast.app.options import (
    KEYS,
    FormatOption,
    PathsArgument,
    StateOption,
    ZoneOption,
    folder_of,
    zone_of,
)
from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors


def train(
    paths: PathsArgument,
    config: ConfigOption = None,
    form: FormatOption = "auto",
    zone: ZoneOption = None,
    state: StateOption = None,
) -> None:
    """Learn from files of past activities. A file that is read twice adds nothing."""
    with one_line_errors():
        from harstream.forecast.client.diary import FILE, Diary
        from harstream.forecast.past.read import format_of, read_home
        from harstream.forecast.past.store import store

        console = Console(highlight=False, soft_wrap=True)
        homes = [read_home(path, format_of(form), zone_of(zone)) for path in paths]
        folder = folder_of(state, read_config(config, keys=KEYS))
        diary = Diary(folder / FILE)
        diary.start()
        try:
            for path, records in zip(paths, homes, strict=True):
                added = store(records, diary)
                console.print(f"{path}: {added} of {len(records.episodes)} activities are new", markup=False)
                if records.incomplete:
                    console.print(f"{path}: left out {records.incomplete} without a right start and end", markup=False)
        finally:
            diary.close()
