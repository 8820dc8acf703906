"""An explanation for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harstream.forecast.evaluation.explanation import Explanation


def tables(explanation: Explanation) -> Group:
    """Return a sentence about the durations, and a table of what follows."""
    hour, minute = divmod(round(explanation.hour * 60), 60)
    table = Table(title=f"After it at {hour:02}:{minute:02}", title_justify="left", box=None, pad_edge=False)
    table.add_column("next", no_wrap=True)
    for column in ("probability", "followed", "at this hour"):
        table.add_column(column, justify="right")
    for each in explanation.followers:
        table.add_row(Text(each.activity), f"{each.probability:.0%}", f"{each.times} times", f"x {each.ratio:.1f}")
    parents = Text(f"dbn expects the next activity from: {', '.join(explanation.parents)}.")
    return Group(Text(_durations(explanation)), table, parents)


def _durations(explanation: Explanation) -> str:
    lasted = explanation.durations
    if lasted is None:
        return f"{explanation.activity}: its end was never seen"
    shortest, middle, longest = (_minutes(each) for each in (lasted.p10, lasted.p50, lasted.p90))
    return (
        f"{explanation.activity}: seen {explanation.times} times. It lasts {middle} in the median, "
        f"and from {shortest} to {longest} in 80 % of the cases."
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
