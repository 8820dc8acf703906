"""The report of an evaluation of forecasts: one HTML page that needs no other file, and the same figures as JSON."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from harstream.evaluation.page import page_environment
from harstream.evaluation.report_json import write_report
from harstream.forecast.evaluation import plots
from harstream.forecast.evaluation.answers import BEGIN_HORIZONS, HORIZONS, PREDICTORS
from harstream.forecast.evaluation.results import Evaluation
from harstream.resilience.whole_file import write_whole

SCHEMA = "harstream.forecast_evaluation/1"


def write_json(path: Path, evaluation: Evaluation) -> None:
    """Write the figures. The folder must exist."""
    write_report(
        path,
        SCHEMA,
        _provenance(evaluation),
        {"horizons_s": HORIZONS, "begin_horizons_s": BEGIN_HORIZONS, **asdict(evaluation)},
    )


def write_html(path: Path, evaluation: Evaluation) -> None:
    """Write the page. The folder must exist."""
    template = page_environment(Path(__file__).parent).get_template("report.html.j2")
    page = template.render(
        evaluation=evaluation,
        provenance=_provenance(evaluation),
        predictors=PREDICTORS,
        minutes=[f"{horizon / 60:g}" for horizon in HORIZONS],
        begin_minutes=[f"{horizon / 60:g}" for horizon in BEGIN_HORIZONS],
        mix=evaluation.means["mix"],
        calibration=plots.calibration(evaluation),
        choices=plots.choices(evaluation),
        later=plots.later(evaluation),
        homes=plots.homes(evaluation),
    )
    write_whole(path, page)


def _provenance(evaluation: Evaluation) -> dict[str, str]:
    changes, days = (sum(getattr(home, name) for home in evaluation.homes) for name in ("changes", "days"))
    return {
        "command": shlex.join(["harstream", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "harstream": version("harstream"),
        "homes": f"{len(evaluation.homes)}, with {changes} changes of activity on {days} predicted days",
    }
