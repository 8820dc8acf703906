"""`harstream forecast simulate`: compares learned forecasts with the best possible ones."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harstream.stream.app.terminal import one_line_errors
from harstream.wire.errors import ConfigError


def simulate(
    days: Annotated[int, typer.Option(help="Days in all. The first 14 are learned from.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another household.")] = 0,
    activities: Annotated[int, typer.Option(min=2, max=50, help="Activities of the household.")] = 8,
) -> None:
    """Simulate a household, and show how much worse its learned forecasts are than the best possible ones."""
    with one_line_errors():
        from harstream.forecast.evaluation.regret import LEARNED_DAYS, simulate

        if days <= LEARNED_DAYS:
            raise ConfigError(f"--days: expected more than {LEARNED_DAYS}, got {days}: the first ones are learned from")
        table = Table(title="Losses in nats", title_justify="left", box=None, pad_edge=False)
        for column in ("errors that last", "taken as", "best, now", "worse by", "best, in 10 min", "worse by"):
            table.add_column(column, justify="right")
        for each in simulate(days, seed, activities):
            shares = f"{each.lasting:.0%}", f"{each.assumed:.0%}"
            losses = each.best_now, each.now, each.best_later, each.later
            table.add_row(*shares, *(f"{loss:.3f}" for loss in losses))
        Console().print(table)
