"""The results of an evaluation as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harstream.evaluation.number_format import UNDEFINED, decimal, percent
from harstream.forecast.evaluation.answers import BEGIN_HORIZONS, HORIZONS, PREDICTORS
from harstream.forecast.evaluation.results import Evaluation, HomeResult, PredictorResult
from harstream.forecast.evaluation.scores import THRESHOLDS

MEAN = "mean"


def tables(evaluation: Evaluation) -> Group:
    """Return the tables of predictors and of homes."""
    parts = _next(evaluation), _later(evaluation), _sure(evaluation), _homes(evaluation.homes)
    return Group(*(line for part in parts for line in (part, Text())))


def _next(evaluation: Evaluation) -> Table:
    figures = ("log-loss", "better by, 95 %", "Brier", "top-1", "top-3", "ECE")
    table = _table("Next activity", ("home", "predictor"), figures)
    for home, name, result in _results(evaluation):
        scores, better = result.next, result.better
        table.add_row(
            Text(home), name, decimal(scores.log_loss),
            f"{decimal(better.mean)}, {decimal(better.low)} to {decimal(better.high)}",
            decimal(scores.brier), percent(scores.top_1), percent(scores.top_3), decimal(scores.calibration_error),
        )  # fmt: skip
    return table


def _later(evaluation: Evaluation) -> Table:
    later = [f"in {horizon / 60:g} min" for horizon in HORIZONS]
    begins = [f"by {horizon / 60:g} min" for horizon in BEGIN_HORIZONS]
    table = _table(
        "Log-loss of what goes on in a time, and of what begins by then", ("home", "predictor"), (*later, *begins)
    )
    for home, name, result in _results(evaluation):
        table.add_row(Text(home), name, *map(decimal, (*result.later, *result.begins)))
    return table


def _sure(evaluation: Evaluation) -> Table:
    sure = [f"right at {threshold:g}" for threshold in THRESHOLDS]
    figures = (*sure, "in p10-p90", "mean error", "median error")
    table = _table("Right next activities from a probability on; when they begin", ("home", "predictor"), figures)
    for home, name, result in _results(evaluation):
        said, time = (f"{_share(each.precision)} of {_share(each.cover)}" for each in result.next.choices), result.time
        errors = (f"{seconds / 60:.1f} min" for seconds in (time.mean_error, time.median_error))
        table.add_row(Text(home), name, *said, percent(time.covered), *errors)
    return table


def _share(share: float | None) -> str:
    return UNDEFINED if share is None else f"{share:.0%}"


def _results(evaluation: Evaluation) -> Iterator[tuple[str, str, PredictorResult]]:
    for home in evaluation.homes:
        yield from ((home.name, name, home.predictors[name]) for name in PREDICTORS)
    if len(evaluation.homes) > 1:
        yield from ((MEAN, name, evaluation.means[name]) for name in PREDICTORS)


def _homes(homes: Sequence[HomeResult]) -> Table:
    table = _table("Activities that were called unusually long", ("home",), ("days", "changes", "false alarms a week"))
    for home in homes:
        table.add_row(Text(home.name), str(home.days), str(home.changes), f"{home.alarms_a_week:.2f}")
    return table


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table
