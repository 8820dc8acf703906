"""The plots of the report on forecasts."""

from __future__ import annotations

from harstream.evaluation.drawing import COLOURS, DASHED, LegendEntry, Plot, one_plot
from harstream.forecast.evaluation.answers import HORIZONS, PREDICTORS
from harstream.forecast.evaluation.results import Evaluation

COLOUR_OF = {"baseline": "muted", "hmm": "second", "dbn": "third", "mix": "accent"}


def calibration(evaluation: Evaluation) -> Plot:
    """Draw how often the likeliest next activity is right, over its probability."""
    with one_plot("calibration", "Calibration of the next activity") as (axes, drawing):
        axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=DASHED)
        for name in PREDICTORS:
            bins = evaluation.calibration[name]
            axes.plot(
                [each.probability for each in bins], [each.right for each in bins],
                marker="o", markersize=4, color=COLOURS[COLOUR_OF[name]],
            )  # fmt: skip
        axes.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="probability of the likeliest", ylabel="share that is right")
    return Plot(drawing.getvalue(), _legend())


def choices(evaluation: Evaluation) -> Plot:
    """Draw the share of right answers over the share of changes that are answered."""
    with one_plot("choices", "Precision over cover") as (axes, drawing):
        for name in PREDICTORS:
            scores = evaluation.means[name].next
            points = [(1.0, scores.top_1)]
            points += [(each.cover, each.precision) for each in scores.choices if each.precision is not None]
            axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=COLOURS[COLOUR_OF[name]])
        axes.set(
            xlim=(0, 1.02), ylim=(0, 1.02), xlabel="cover: share of changes answered", ylabel="share that is right"
        )
    return Plot(drawing.getvalue(), _legend())


def later(evaluation: Evaluation) -> Plot:
    """Draw the log-loss of what goes on after each horizon."""
    with one_plot("later", "Log-loss by horizon") as (axes, drawing):
        minutes = [horizon / 60 for horizon in HORIZONS]
        for name in PREDICTORS:
            axes.plot(minutes, evaluation.means[name].later, marker="o", markersize=4, color=COLOURS[COLOUR_OF[name]])
        axes.set(xscale="log", xlabel="minutes ahead", ylabel="log-loss, nats")
        axes.set_xticks(minutes, [f"{each:g}" for each in minutes])
        axes.set_xticks([], minor=True)
        axes.set_ylim(bottom=0)
    return Plot(drawing.getvalue(), _legend())


def homes(evaluation: Evaluation) -> Plot:
    """Draw how much lower the loss of the mix is than the baseline's in each home, with its interval."""
    rows = [home.predictors["mix"].better for home in evaluation.homes]
    with one_plot("homes", "Gain over the baseline by home") as (axes, drawing):
        numbers = range(1, len(rows) + 1)
        axes.axvline(0, color=COLOURS["muted"], linewidth=1, linestyle=DASHED)
        axes.hlines(numbers, [row.low for row in rows], [row.high for row in rows], color=COLOURS["accent"])
        axes.plot([row.mean for row in rows], numbers, "o", color=COLOURS["accent"], markersize=5)
        axes.set(xlabel="nats by which the mix is better than the baseline", ylabel="home", yticks=list(numbers))
        axes.set_ylim(len(rows) + 0.5, 0.5)
    names = "; ".join(f"{number} {home.name}" for number, home in enumerate(evaluation.homes, 1))
    return Plot(drawing.getvalue(), (LegendEntry("accent", f"mean and 95 % interval over days: {names}"),))


def _legend() -> tuple[LegendEntry, ...]:
    return tuple(LegendEntry(COLOUR_OF[name], name) for name in PREDICTORS)
