"""Prints what teaching gave: a table of the activities, what they are taken for, false events, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from rich.table import Table

from harstream.models.contract import ModelContract
from harstream.stream.teaching.examples import ONE_EVENING, are_of_one_evening
from harstream.stream.teaching.taught_folder import without_background
from harstream.teaching.judgement import ActivityJudgement, Judgement
from harstream.teaching.thresholds import confusions, most_a_day, seconds_to_show


def activity_table(judgement: Judgement, contract: ModelContract) -> Table:
    table = Table(
        title="Each example, while the others were learned without it", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("activity")
    for column in ("examples", "recognized", "found", "threshold"):
        table.add_column(column, justify="right")
    table.add_column("others taken for", overflow="fold")
    table.caption = "recognized: the highest mean score; found: an event starts at the threshold"
    table.caption_justify = "left"
    for each in judgement.activities:
        table.add_row(
            each.activity, str(each.examples), str(each.recognized), str(each.found), f"{each.threshold.value:g}",
            _taken_for(each, contract),
        )  # fmt: skip
    return table


def false_event_notes(judgement: Judgement, contract: ModelContract) -> Iterator[str]:
    """Yield lines about the false events in the ordinary footage, and what footage of this length can show."""
    seconds = judgement.ordinary_seconds
    if not seconds:
        return
    taught = sum(judgement.in_ordinary.get(activity, 0) for activity in contract.taught)
    others = {name: count for name, count in judgement.in_ordinary.items() if name not in contract.taught}
    yield (
        f"ordinary footage of {duration(seconds)}: {taught} false event(s) of the new activities, "
        f"{taught / (seconds / 3600):.1f} an hour"
        + (f"; of the others: {', '.join(f'{name} {count}' for name, count in others.items())}" if others else "")
    )
    limit = most_a_day(taught, seconds)
    if limit > 1:
        yield (
            f"so little footage only shows that there are fewer than {_rate(limit)} (95 % confidence); "
            f"{duration(seconds_to_show(1))} without a false event would show fewer than one a day"
        )


def alike_notes(alike: Mapping[str, str]) -> Iterator[str]:
    """Yield one line about each kind of known background that is not learned as such."""
    for name, activity in alike.items():
        yield f"{activity} looks like {name}, which the model learned as background; now it may be taken for {activity}"


def warnings(files: Mapping[str, list[Path]], judgement: Judgement, contract: ModelContract) -> Iterator[str]:
    """Yield one line about each weakness of the examples and of the footage. `files`: examples by activity."""
    for one, other, mixed, total in confusions(_without_background(judgement, contract)):
        yield (
            f"{one} and {other} cannot be told apart: {mixed} of {total} examples are taken for the other; "
            "add examples that differ more, or make one activity of both"
        )
    for activity, paths in files.items():
        if are_of_one_evening(paths):
            yield (
                f"all examples of {activity} were recorded within {ONE_EVENING / 3600:.0f} hours: it may learn the "
                "light and the clothes of that day; add examples of other days"
            )
    if not judgement.ordinary_seconds:
        yield (
            "there is no ordinary footage: what your rooms look like when nothing of these happens is not known, nor "
            "how many false events there will be; record some, or give it with --ordinary"
        )
    for each in judgement.activities:
        if not each.threshold.is_quiet:
            yield (
                f"{each.activity} starts {each.threshold.false_events} time(s) in ordinary footage even at "
                f"{each.threshold.value:g}: does the footage show it? If not, add more ordinary footage and examples"
            )


def config_lines(judgement: Judgement, model: Path) -> str:
    """Return the keys of config.yaml that use the taught model."""
    overrides = {activity: {"start_above": value} for activity, value in judgement.thresholds.items()}
    values = {"model": str(model), "activities": {"overrides": overrides}}
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=False)).rstrip()


def duration(seconds: float) -> str:
    """Return a time in the unit that a person would choose."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _rate(a_day: float) -> str:
    return f"{a_day:.0f} a day" if a_day < 48 else f"{a_day / 24:.0f} an hour"


def _taken_for(each: ActivityJudgement, contract: ModelContract) -> str:
    counts = without_background(each.taken_for, contract.background)
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _without_background(judgement: Judgement, contract: ModelContract) -> list[tuple[str, str]]:
    return [(true, label) for true, label in judgement.pairs if label not in contract.background]
