"""Evaluates the predictors on the records of homes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from harstream.forecast.evaluation.answers import PREDICTORS, HomeAnswers, ask
from harstream.forecast.evaluation.folds import Folding
from harstream.forecast.evaluation.results import Evaluation, calibration_of, home_result, mean_result
from harstream.forecast.learning.episodes import intervals
from harstream.forecast.model.states import States
from harstream.forecast.past.records import Records
from harstream.forecast.predictors.structure import Structure
from harstream.wire.errors import ConfigError


def evaluate_home(
    name: str, records: Records, folding: Folding, zone: tzinfo | None, structure: Structure | None = None
) -> tuple[str, HomeAnswers]:
    """Ask all predictors about a home. `structure`: of `dbn`; None is the shipped one.

    Raises ConfigError if it has too few days or activities.
    """
    states = States(records.activities)
    courses = [intervals(records.episodes_of(each), records.away_of(each), states) for each in records.cameras]
    asked = ask(courses, states, folding, zone, structure)
    if not asked.next.truth:
        raise ConfigError(f"{name}: expected changes of activity on several days, got too few to predict any")
    return name, asked


def evaluation_of(folding: str, asked: Sequence[tuple[str, HomeAnswers]]) -> Evaluation:
    """Return the results of all homes and their mean."""
    homes = [home_result(name, answers) for name, answers in asked]
    answers = [each for _, each in asked]
    return Evaluation(
        folding,
        tuple(homes),
        {name: mean_result(homes, answers, name) for name in PREDICTORS},
        {name: calibration_of(answers, name) for name in PREDICTORS},
    )
