"""`harstream forecast simulate`: compares learned forecasts with the best possible ones."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harstream.stream.app.terminal import one_line_errors
from harstream.wire.errors import ConfigError

TABLE_WIDTH = 100


def simulate(
    days: Annotated[int, typer.Option(help="Days in all. The first 14 are learned from.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another household.")] = 0,
    households: Annotated[int, typer.Option(min=1, help="Households; the seed draws the first one.")] = 1,
    activities: Annotated[int, typer.Option(min=2, max=50, help="Activities of the household.")] = 8,
) -> None:
    """Simulate households, and show how much worse their learned forecasts are than the best possible ones."""
    with one_line_errors():
        from harstream.forecast.evaluation.regret import LEARNED_DAYS, mean_regrets, simulate

        if days <= LEARNED_DAYS:
            raise ConfigError(f"--days: expected more than {LEARNED_DAYS}, got {days}: the first ones are learned from")
        what = "Losses in nats" + (f", mean of {households} households" if households > 1 else "")
        table = Table(title=what, title_justify="left", box=None, pad_edge=False)
        for column in ("errors that last", "taken as", "best, now", "worse by", "best, in 10 min", "worse by"):
            table.add_column(column, justify="right")
        for each in mean_regrets([simulate(days, seed + number, activities) for number in range(households)]):
            mean, now, later = each.mean, each.now_error, each.later_error
            table.add_row(
                f"{mean.lasting:.0%}", f"{mean.assumed:.0%}", f"{mean.best_now:.3f}", _regret(mean.now, now),
                f"{mean.best_later:.3f}", _regret(mean.later, later),
            )  # fmt: skip
        console = Console()
        console.width = max(console.width, TABLE_WIDTH)  # a heading on several lines would be hard to read
        console.print(table)


def _regret(mean: float, error: float) -> str:
    """`error`: half of the 95 % interval."""
    return f"{mean:.3f}" + ("" if error == float("inf") else f" ± {error:.3f}")
