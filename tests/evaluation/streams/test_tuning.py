"""Settings are chosen on a known stream: somebody walks for ten seconds, then nobody is there for ten."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from harstream.evaluation.streams.event_metrics import Segment
from harstream.evaluation.streams.stream_runner import Watched
from harstream.evaluation.streams.tune_cli import app
from harstream.evaluation.streams.tuning import Trial, best, combinations, pareto_front, try_out
from harstream.models.contract import ModelContract
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.values import Scores

CONTRACT = ModelContract("m", "1", ("Walk", "Jump", "nobody"), ("nobody",), rate=10.0)
SETTINGS = TrackerSettings(start_above=0.95, end_below=0.6)


def scores(time: float) -> Scores:
    """Returns Walk at 0.7 while somebody walks, and then a false Jump at 0.52, above background."""
    values = [0.7, 0.1, 0.2] if time <= 10 else [0.0, 0.52, 0.48]
    return Scores(np.array(values, dtype=np.float32), time, 1.9, CONTRACT.labels)


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    seen = tuple(scores(tick / 10) for tick in range(20, 200))
    truth = (Segment("Walk", 0.0, 10.0), Segment(None, 10.0, 20.0))
    watched = Watched("stream1", truth, seen, last=19.9, events=())
    return [try_out([watched], CONTRACT, settings, smoothing) for settings, smoothing in combinations(SETTINGS)]


def test_best_settings_find_every_activity_without_a_false_event(trials: list[Trial]) -> None:
    chosen = best(trials, allowed=0)
    assert chosen is not None
    assert (chosen.found, chosen.in_background) == (1.0, 0.0)
    assert 0.52 < chosen.settings.start_above <= 0.7


def test_low_thresholds_give_false_events_and_high_ones_give_none(trials: list[Trial]) -> None:
    low = [trial for trial in trials if trial.settings.start_above == 0.5]
    high = [trial for trial in trials if trial.settings.start_above > 0.7]
    assert {trial.metrics.background_false_events for trial in low} == {1}
    assert low[0].in_background == pytest.approx(60)  # one false event in ten seconds
    assert {trial.found for trial in high} == {0.0}


def test_front_holds_only_the_choice_that_no_other_beats(trials: list[Trial]) -> None:
    assert [(trial.found, trial.in_background) for trial in pareto_front(trials)] == [(1.0, 0.0)]


def test_settings_that_are_not_tuned_stay_unchanged() -> None:
    assert {(settings.gone, settings.merge, settings.update) for settings, _ in combinations(SETTINGS)} == {
        (1.5, 2.0, 5.0)
    }


def test_no_settings_are_best_if_all_exceed_the_limit(trials: list[Trial]) -> None:
    low = [trial for trial in trials if trial.settings.start_above == 0.5]
    assert best(low, allowed=1) is None


def test_settings_are_never_chosen_on_test_clips() -> None:
    arguments = ["--model", "lrcn", "--data", "clips", "--split", "SPLIT.tsv", "--part", "test"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "never chosen on test clips" in result.stderr
