"""Every expected figure is worked out by hand from the stream of the fixture or follows from its definition.

seconds:    0        10       20       30       40       50
truth:      nobody   Jump     nobody   Walk     Jump
events:                J J      Walk    Jump     Jump
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from harstream.evaluation.lasting_errors import LastingErrors
from harstream.evaluation.streams.event_metrics import (
    Outcome,
    Recognized,
    Segment,
    background_false_events,
    edit_score,
    false_events,
    found_share,
    late_share,
    latencies,
    pieces,
    segmental_f1,
    time_right,
)
from harstream.evaluation.streams.stream_metrics import StreamMetrics, measure_streams
from harstream.evaluation.streams.stream_report import stream_tables, write_stream_json
from harstream.models.contract import ModelContract

pytestmark = pytest.mark.filterwarnings("error")

LASTING = LastingErrors(0.9, 40, 12, 5, 2.0, 6.0, 8.0, 0.75, 0.5)
TRUTH = (
    Segment(None, 0, 10),
    Segment("Jump", 10, 20),
    Segment(None, 20, 30),
    Segment("Walk", 30, 40),
    Segment("Jump", 40, 50),
)
FIRST_JUMP, SECOND_JUMP = Recognized("Jump", 12, 16, detected_at=13), Recognized("Jump", 17, 19, detected_at=18)
GHOST, EXIT_INVALID_CONFIG = Recognized("Walk", 22, 26, detected_at=23), Recognized("Jump", 31, 35, detected_at=32)
LAST_JUMP = Recognized("Jump", 42, 50, detected_at=43.5)


@pytest.fixture
def outcome() -> Outcome:
    return Outcome(TRUTH, (FIRST_JUMP, SECOND_JUMP, GHOST, EXIT_INVALID_CONFIG, LAST_JUMP))


@pytest.fixture
def metrics(outcome: Outcome) -> StreamMetrics:
    return measure_streams([outcome])


def outcome_of(*activities: str) -> Outcome:
    """Returns an outcome with the truth Jump, Walk, Jump and events of the given activities, a second each."""
    return Outcome(TRUTH, tuple(Recognized(name, at, at + 1, at) for at, name in enumerate(activities)))


@pytest.mark.parametrize(("overlap", "right"), [(0.1, 2), (0.25, 2), (0.4, 2), (0.5, 1), (0.8, 1), (0.9, 0)])
def test_f1_counts_events_that_overlap_enough(outcome: Outcome, overlap: float, right: int) -> None:
    # Intersections over unions: 4/10 and 2/10 of the first Jump, 8/10 of the last; 5 events, 3 true activities.
    assert segmental_f1([outcome], overlap) == pytest.approx(2 * right / (5 + 3))


def test_second_event_of_an_activity_is_wrong_for_f1() -> None:
    twice = Outcome((Segment("Jump", 0, 10),), (Recognized("Jump", 0, 6, 1), Recognized("Jump", 6, 10, 7)))
    assert segmental_f1([twice], 0.25) == pytest.approx(2 / (2 + 1))


def test_event_is_matched_to_its_best_segment_even_if_that_is_taken() -> None:
    truth = (Segment("Jump", 0, 10), Segment(None, 10, 11), Segment("Jump", 11, 21))
    # The second event covers 7 s of the first Jump (union 13 s) and 2 s of the second (union 18 s): both over a tenth.
    events = (Recognized("Jump", 0, 2, 1), Recognized("Jump", 3, 13, 4))
    assert segmental_f1([Outcome(truth, events)], 0.1) == pytest.approx(2 * 1 / (2 + 2))


@pytest.mark.parametrize(
    ("activities", "score"),
    [
        (("Jump", "Walk", "Jump"), 1),
        (("Jump", "Jump", "Walk", "Jump", "Jump"), 1 - 2 / 5),  # two too many
        (("Jump", "Jump"), 1 - 1 / 3),  # one is missing
        (("Walk", "Jump", "Walk"), 1 - 2 / 3),  # one event too many and one missing is better than three changes
        (("Jump", "Swim", "Jump"), 1 - 1 / 3),  # one has another activity
        ((), 0),
    ],
)
def test_edit_score_depends_on_the_order_alone(activities: tuple[str, ...], score: float) -> None:
    assert edit_score([outcome_of(*activities)]) == pytest.approx(score)


def test_edit_score_weights_streams_by_their_length() -> None:
    # 1 - 2/5 over five, 1 - 0/3 over three.
    streams = [outcome_of("Jump", "Jump", "Walk", "Jump", "Jump"), outcome_of("Jump", "Walk", "Jump")]
    assert edit_score(streams) == pytest.approx((3 / 5 * 5 + 1 * 3) / 8)


def test_activity_is_found_if_an_event_of_it_overlaps(outcome: Outcome) -> None:
    assert found_share([outcome]) == pytest.approx(2 / 3)


def test_event_without_length_finds_the_activity_around_it() -> None:
    instant = Outcome((Segment("Jump", 0, 10),), (Recognized("Jump", 5, 5, detected_at=6),))
    assert found_share([instant]) == 1
    assert false_events(instant) == []


def test_event_that_ends_when_the_activity_starts_does_not_find_it() -> None:
    early = Outcome((Segment(None, 0, 5), Segment("Jump", 5, 10)), (Recognized("Jump", 2, 5, detected_at=3),))
    assert found_share([early]) == 0
    assert false_events(early) == list(early.recognized)


def test_latency_lasts_from_the_true_start_to_the_first_right_event(outcome: Outcome) -> None:
    assert latencies(outcome) == [(TRUTH[1], 3), (TRUTH[4], 3.5)]


def test_event_over_two_true_activities_finds_both() -> None:
    truth = (Segment("Jump", 0, 10), Segment(None, 10, 12), Segment("Jump", 12, 20))
    merged = Outcome(truth, (Recognized("Jump", 1, 19, detected_at=2),))
    assert latencies(merged) == [(truth[0], 2), (truth[2], -10)]
    assert (found_share([merged]), pieces([merged])) == (1, 1)


def test_percentiles_cover_the_found_activities(metrics: StreamMetrics) -> None:
    # The latencies are 3 and 3.5; percentiles are interpolated.
    assert (metrics.latency_p50, metrics.latency_p95) == (pytest.approx(3.25), pytest.approx(3.475))


def test_a_found_activity_is_late_if_it_is_reported_after_its_end() -> None:
    truth = (Segment("Jump", 0, 3), Segment(None, 3, 10), Segment("Walk", 10, 20), Segment("Jump", 20, 30))
    late = Outcome(truth, (Recognized("Jump", 1, 3, detected_at=3.5), Recognized("Walk", 10, 20, detected_at=19.5)))
    assert late_share([late]) == 1 / 2
    assert late_share([Outcome(truth, ())]) is None


def test_event_is_false_if_it_overlaps_no_true_activity_of_its_name(outcome: Outcome) -> None:
    assert false_events(outcome) == [GHOST, EXIT_INVALID_CONFIG]
    assert background_false_events(outcome) == [GHOST]


def test_false_events_are_counted_per_hour(metrics: StreamMetrics) -> None:
    assert (metrics.false_events, metrics.false_events_per_hour) == (2, pytest.approx(2 * 3600 / 50))


def test_false_events_in_background_are_counted_per_ten_minutes(metrics: StreamMetrics) -> None:
    assert metrics.background_seconds == 20
    assert (metrics.background_false_events, metrics.background_false_events_per_10_minutes) == (1, 600 / 20)


def test_pieces_are_the_right_events_of_the_found_activities(outcome: Outcome) -> None:
    assert pieces([outcome]) == pytest.approx((2 + 1) / 2)


def test_time_is_right_while_truth_and_event_agree(outcome: Outcome) -> None:
    # The background is right for 10 + 2 + 4 s, the first Jump for 4 + 2 s, the last Jump for 8 s.
    assert time_right([outcome]) == pytest.approx(30 / 50)


def test_each_activity_has_its_figures(metrics: StreamMetrics) -> None:
    found = [(each.activity, each.true, each.found, each.false_events, each.latency_p50) for each in metrics.activities]
    assert found == [("Jump", 2, 2, 1, 3.25), ("Walk", 1, 0, 1, None)]


def test_events_equal_to_the_truth_are_perfect() -> None:
    events = tuple(Recognized(str(each.activity), each.start, each.end, each.start) for each in TRUTH if each.activity)
    metrics = measure_streams([Outcome(TRUTH, events)])
    shares = [metrics.f1_10, metrics.f1_25, metrics.f1_50, metrics.edit, metrics.found, metrics.time_right]
    assert shares == [1] * 6
    assert (metrics.latency_p50, metrics.latency_p95, metrics.pieces) == (0, 0, 1)
    assert (metrics.false_events, metrics.background_false_events) == (0, 0)


def test_no_event_is_right_in_background() -> None:
    metrics = measure_streams([Outcome(TRUTH, ())])
    assert [metrics.f1_10, metrics.edit, metrics.found] == [0, 0, 0]
    assert [metrics.latency_p50, metrics.latency_p95, metrics.pieces] == [None, None, None]
    assert metrics.time_right == pytest.approx(20 / 50)
    assert (metrics.events, metrics.false_events_per_hour) == (0, 0)


def test_figures_of_activities_are_undefined_without_activities() -> None:
    metrics = measure_streams([Outcome((Segment(None, 0, 60),), ())])
    assert [metrics.f1_10, metrics.f1_50, metrics.edit, metrics.found, metrics.pieces] == [None] * 5
    assert (metrics.time_right, metrics.background_false_events_per_10_minutes) == (1, 0)


def test_false_events_in_background_are_undefined_without_background() -> None:
    metrics = measure_streams([Outcome((Segment("Jump", 0, 10),), ())])
    assert metrics.background_false_events_per_10_minutes is None


def test_streams_are_pooled(outcome: Outcome) -> None:
    metrics = measure_streams([outcome, Outcome(TRUTH, ())])
    assert (metrics.streams, metrics.seconds, metrics.true_activities) == (2, 100, 6)
    assert metrics.f1_10 == pytest.approx(2 * 2 / (5 + 6))
    assert metrics.found == pytest.approx(2 / 6)
    assert metrics.time_right == pytest.approx((30 + 20) / 100)
    assert metrics.false_events_per_hour == pytest.approx(2 * 3600 / 100)


def test_metrics_without_a_stream_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one stream"):
        measure_streams([])


def test_stream_json_holds_figures_and_provenance(tmp_path: Path, metrics: StreamMetrics) -> None:
    contract = ModelContract("lrcn", "1", ("Jump", "Walk", "nobody"), ("nobody",))
    write_stream_json(
        tmp_path / "stream.json", metrics, LASTING, contract, {"hold": 1.0}, {"command": "harstream evaluate"}
    )
    content = json.loads((tmp_path / "stream.json").read_text(encoding="utf-8"))
    assert content["schema"] == "harstream.stream-evaluation/1"
    assert content["provenance"] == {"command": "harstream evaluate"}
    assert content["contract"]["labels"] == ["Jump", "Walk", "nobody"]
    assert content["settings"] == {"hold": 1.0}
    assert content["metrics"] == metrics.to_dict()
    assert content["metrics"]["found"] == 0.6667
    assert content["lasting_errors"] == LASTING.to_dict()


def test_table_shows_the_figures_and_a_name_that_looks_like_markup() -> None:
    truth = (Segment("[red]", 0, 10),)
    printed = io.StringIO()
    Console(file=printed, width=120).print(stream_tables(measure_streams([Outcome(truth, ())]), LASTING))
    assert "[red]" in printed.getvalue()
    assert "0.0\N{NO-BREAK SPACE}%  of 1 activities are found" in printed.getvalue()
    assert "–  events per activity that is found" in printed.getvalue()
    assert "12  of 40 windows" in printed.getvalue()
    assert "0.900  of the windows repeat the look" in printed.getvalue()
