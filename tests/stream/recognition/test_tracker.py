"""The tracker starts, continues and ends activities: traces worked out by hand, and rules for any stream of scores."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harstream.models.contract import ModelContract
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.values import EndReason, Event, EventType

CONTRACT = ModelContract("m", "1", ("Jump", "Walk", "Idle"), background=("Idle",))
SETTINGS = TrackerSettings(start_above=0.8, end_below=0.5)

Row = tuple[float, float, float]


def new_tracker(settings: TrackerSettings = SETTINGS) -> Tracker:
    return Tracker("hall", CONTRACT, settings)


def track(
    tracker: Tracker, rows: list[Row], *, step: float = 1.0, begin: float = 0.0, span: float = 0.0
) -> list[Event]:
    events = []
    for number, row in enumerate(rows):
        events += tracker.update(np.array(row, np.float32), begin + number * step, span)
    return events


def jump(score: float) -> Row:
    return score, 0.0, 1 - score


def walk(score: float) -> Row:
    return 0.0, score, 1 - score


def brief(events: list[Event]) -> list[tuple[str, float]]:
    """Returns the type and the time of each event."""
    return [(event.type.value, event.updated_at) for event in events]


def test_tracker_matches_its_trace() -> None:
    events = track(new_tracker(), [jump(score) for score in (0.6, 0.9, 0.9, 0.3, 0.9, 0.2, 0.2)])
    assert brief(events) == [("start", 1.0), ("end", 6.0)]
    assert [events[0].started_at, events[0].detected_at] == [0.0, 1.0]
    assert [events[1].ended_at, events[1].end_reason] == [4.0, EndReason.LOW_CONFIDENCE]


def test_start_is_dated_to_the_middle_of_the_first_window_that_supports_it() -> None:
    # Windows last 2 s. The first window over end_below ends at 11, so its middle is 10.
    events = track(new_tracker(), [jump(0.2), jump(0.6), jump(0.7), jump(0.9)], begin=10.0, span=2.0)
    assert [(event.started_at, event.detected_at) for event in events] == [(10.0, 13.0)]


def test_dip_below_end_below_restarts_the_support() -> None:
    events = track(new_tracker(), [jump(0.6), jump(0.4), jump(0.9), jump(0.9)])
    assert [(event.started_at, event.detected_at) for event in events] == [(2.0, 3.0)]


def test_high_score_starts_an_activity_only_after_hold() -> None:
    assert track(new_tracker(), [jump(0.9)] * 2, step=0.9) == []


def test_score_exactly_at_the_threshold_starts_and_continues() -> None:
    for threshold in (0.55, 0.7, 0.8):
        tracker = new_tracker(TrackerSettings(start_above=threshold, end_below=threshold, update=100))
        assert brief(track(tracker, [jump(threshold)] * 6)) == [("start", 1.0)]


def test_activity_above_end_below_is_reported_every_five_seconds() -> None:
    events = track(new_tracker(), [jump(0.9), jump(0.9), *[jump(0.5)] * 12])
    assert brief(events) == [("start", 1.0), ("update", 6.0), ("update", 11.0)]


def test_confidence_is_the_mean_the_peak_and_the_last_since_the_start() -> None:
    tracker = new_tracker()
    track(tracker, [jump(0.75), jump(1.0), jump(0.5)])
    confidence = tracker.finish(3.0, EndReason.SHUTDOWN)[0].confidence
    assert [confidence.mean, confidence.peak, confidence.last] == [0.75, 1.0, 0.5]


def test_confidence_of_an_end_leaves_out_what_came_after_it() -> None:
    start, end = track(new_tracker(), [jump(0.75), jump(1.0), jump(0.5), jump(0.25), jump(0.25), jump(0.25)])
    assert (start.type, end.type) == (EventType.START, EventType.END)
    # It starts with 1.0. 0.5 supports it still, and 0.25 does not.
    assert [end.confidence.mean, end.confidence.peak, end.confidence.last] == [0.75, 1.0, 0.5]


def test_activities_of_two_people_that_start_together_have_different_ids() -> None:
    ids = []
    for person in (None, 1, 2):
        tracker = new_tracker()
        tracker.person = person
        ids += [event.id for event in track(tracker, [jump(0.9), jump(0.9)])]
    assert len(set(ids)) == len(ids) == 3


def test_same_activity_within_merge_is_one_event() -> None:
    rows = [jump(0.9), jump(0.9), jump(0.1), jump(0.9), jump(0.1), jump(0.1)]
    assert brief(track(new_tracker(), rows)) == [("start", 1.0), ("end", 5.0)]


def test_same_activity_after_merge_is_another_event() -> None:
    rows = [jump(0.9), jump(0.9), jump(0.1), jump(0.1), jump(0.9), jump(0.9)]
    events = track(new_tracker(), rows)
    assert brief(events) == [("start", 1.0), ("end", 3.0), ("start", 5.0)]
    assert events[0].id != events[2].id


def test_activity_that_was_gone_needs_start_above_to_continue() -> None:
    # Jump has no support for 2 s at 3, so it is gone. A score of 0.6 is over end_below and does not bring it back.
    rows = [jump(0.9), jump(0.9), jump(0.1), jump(0.6)]
    assert brief(track(new_tracker(), rows)) == [("start", 1.0), ("end", 3.0)]


def test_another_activity_ends_the_running_one() -> None:
    start, end, other = track(new_tracker(), [jump(0.9)] * 3 + [walk(0.9)] * 3, step=0.5)
    assert [(event.activity, event.type) for event in (start, end, other)] == [
        ("Jump", EventType.START),
        ("Jump", EventType.END),
        ("Walk", EventType.START),
    ]
    assert (end.ended_at, end.end_reason) == (1.0, EndReason.SWITCHED)
    assert (other.started_at, other.previous) == (1.5, ("unknown", 0.5))


def test_an_end_takes_the_place_of_the_update_that_is_due() -> None:
    """The history keeps the last event of an activity. After a kill, subscribers would miss the one before it."""
    tracker = new_tracker(replace(SETTINGS, update=1.5))
    events = track(tracker, [jump(0.9)] * 3 + [walk(0.9)] * 3, step=0.5)  # an update is due at 2.5, as is Walk's start
    assert [(event.activity, event.type.value, event.seq, event.updated_at) for event in events] == [
        ("Jump", "start", 1, 1.0),
        ("Jump", "end", 2, 2.5),
        ("Walk", "start", 1, 2.5),
    ]


def test_activity_that_follows_at_once_names_the_previous_one() -> None:
    # Windows last 2 s. The first event lasts from -1 to 3; the next window has its middle at 3.
    settings = replace(SETTINGS, max_duration=4.0)
    events = track(new_tracker(settings), [jump(0.9)] * 5, span=2.0)
    assert brief(events) == [("start", 0.0), ("end", 3.0), ("start", 4.0)]
    assert (events[2].started_at, events[2].previous) == (3.0, ("Jump", 4.0))


def test_next_activity_starts_at_its_own_first_support_if_the_previous_one_ends_by_itself() -> None:
    # Walk is best from 2 on, but too weak to start. Jump ends at 3 by itself. Walk exceeds start_above at 4.
    rows = [jump(0.9), jump(0.9), walk(0.6), walk(0.6), walk(0.9)]
    events = track(new_tracker(), rows)
    assert brief(events) == [("start", 1.0), ("end", 3.0), ("start", 4.0)]
    assert events[1].end_reason is EndReason.LOW_CONFIDENCE
    assert (events[2].activity, events[2].started_at) == ("Walk", 2.0)


def test_activity_longer_than_max_duration_ends_and_restarts() -> None:
    events = track(new_tracker(replace(SETTINGS, max_duration=4.0)), [jump(0.9)] * 7)
    assert brief(events) == [("start", 1.0), ("end", 4.0), ("start", 6.0)]
    assert events[1].end_reason is EndReason.MAX_DURATION
    assert events[2].started_at == 5.0


def test_background_is_never_an_activity() -> None:
    assert track(new_tracker(), [(0.05, 0.05, 0.9)] * 10) == []


def test_activity_does_not_start_while_background_is_likelier() -> None:
    settings = TrackerSettings(start_above=0.4, end_below=0.3)
    assert track(new_tracker(settings), [(0.45, 0.0, 0.55)] * 10) == []


def test_override_moves_the_thresholds_of_one_activity() -> None:
    settings = replace(SETTINGS, overrides={"Walk": TrackerSettings(start_above=0.6, end_below=0.3)})
    assert track(new_tracker(settings), [jump(0.7)] * 3) == []
    assert brief(track(new_tracker(settings), [walk(0.4), walk(0.7)])) == [("start", 1.0)]


def test_override_moves_the_times_of_one_activity() -> None:
    own = replace(SETTINGS, hold=3.0, gone=0.0, merge=0.0, update=1.0, max_duration=3.0)
    settings = replace(SETTINGS, overrides={"Walk": own})
    # Walk has held for 3 s at 3 and starts. Its support began at 0, so max_duration ends it at 4.
    assert brief(track(new_tracker(settings), [jump(0.9)] * 4)) == [("start", 1.0)]
    assert brief(track(new_tracker(settings), [walk(0.9)] * 5)) == [("start", 3.0), ("end", 4.0)]
    # The first window without support ends Walk. Jump would stay for 2 s more.
    assert brief(track(new_tracker(settings), [walk(0.9)] * 4 + [walk(0.1)])) == [("start", 3.0), ("end", 4.0)]
    assert brief(track(new_tracker(settings), [jump(0.9)] * 4 + [jump(0.1)])) == [("start", 1.0)]


def test_activity_carries_the_threshold_of_the_best_activity() -> None:
    settings = replace(SETTINGS, overrides={"Walk": TrackerSettings(start_above=0.6, end_below=0.3)})
    tracker = new_tracker(settings)
    assert tracker.activity.threshold == 0.8
    track(tracker, [walk(0.5)])
    assert (tracker.activity.name, tracker.activity.threshold) == ("unknown", 0.6)
    track(tracker, [jump(0.9)] * 2, begin=1.0)
    assert (tracker.activity.name, tracker.activity.threshold) == ("Jump", 0.8)


def test_activity_of_an_offline_camera_ends_with_its_last_frame() -> None:
    tracker = new_tracker()
    track(tracker, [jump(0.9)] * 3)
    (end,) = tracker.finish(7.0, EndReason.CAMERA_OFFLINE)
    assert (end.ended_at, end.updated_at, end.end_reason) == (2.0, 7.0, EndReason.CAMERA_OFFLINE)


def test_activity_that_has_lost_its_support_ends_before_the_camera_goes_offline() -> None:
    tracker = new_tracker()
    track(tracker, [jump(0.9), jump(0.9), jump(0.2)])
    (end,) = tracker.finish(2.5, EndReason.CAMERA_OFFLINE)
    assert end.ended_at == 1.0


def test_support_is_forgotten_when_frames_are_missing() -> None:
    tracker = new_tracker()
    assert track(tracker, [jump(0.7)] * 3) == []
    tracker.drop_candidate()
    assert track(tracker, [jump(0.9)], begin=60.0) == []
    assert [event.started_at for event in track(tracker, [jump(0.9)], begin=61.0)] == [60.0]


def test_finish_of_an_idle_tracker_gives_no_event() -> None:
    tracker = new_tracker()
    track(tracker, [jump(0.7)] * 3)
    assert tracker.finish(3.0, EndReason.SHUTDOWN) == []


def test_current_activity_is_the_running_one() -> None:
    tracker = new_tracker()
    assert tracker.activity.name == "unknown"
    track(tracker, [jump(0.75)] * 2)
    track(tracker, [jump(1.0)], begin=2.0)
    assert (tracker.activity.name, tracker.activity.since, tracker.activity.confidence) == ("Jump", 0.0, 1.0)


def test_best_three_labels_are_listed_best_first() -> None:
    (event,) = track(new_tracker(), [(0.9, 0.0625, 0.03125)] * 2)
    assert [label for label, _ in event.topk] == ["Jump", "Walk", "Idle"]


def test_replay_gives_the_same_ids_and_another_camera_others() -> None:
    rows = [jump(0.9), jump(0.9), walk(0.9), walk(0.9)]
    again = [event.id for event in track(new_tracker(), rows)]
    assert [event.id for event in track(new_tracker(), rows)] == again
    garden = track(Tracker("garden", CONTRACT, SETTINGS), rows)
    assert not {event.id for event in garden} & set(again)


def test_ids_sort_by_the_time_of_their_starts() -> None:
    ids = [track(new_tracker(), [jump(0.9)] * 2, begin=begin)[0].id for begin in (0.0, 5.0, 1.7e9, 1.7e9 + 1)]
    assert ids == sorted(ids)


SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6, 0.8, 0.9, 1.0]), min_size=3, max_size=3)
RUNS = st.tuples(SCORES, st.sampled_from([0.1, 0.2, 0.5, 3.0]), st.integers(1, 15))
"""The same scores, repeated a number of times with a step in seconds."""
STREAMS = st.lists(RUNS, max_size=15).map(lambda runs: [run[:2] for run in runs for _ in range(run[2])])
DURATIONS = st.sampled_from([0.0, 0.3, 1.0, 2.0])
ANY_SETTINGS = st.builds(
    TrackerSettings,
    start_above=st.sampled_from([0.6, 0.8]),
    end_below=st.sampled_from([0.3, 0.5]),
    hold=DURATIONS,
    gone=DURATIONS,
    merge=DURATIONS,
    update=DURATIONS,
    max_duration=st.sampled_from([0.1, 2.0, 3600.0]),
)
OVERRIDDEN = st.builds(
    lambda settings, own: replace(settings, overrides={"Walk": own} if own else {}),
    ANY_SETTINGS,
    st.none() | ANY_SETTINGS,
)


def stream_of(
    rows: list[tuple[list[float], float]], settings: TrackerSettings, span: float, finishes: set[int]
) -> list[Event]:
    """Each row comes some seconds after the previous one. The camera goes offline after `finishes` and at the end."""
    tracker, time, events = new_tracker(settings), 1000.0, []
    for number, (row, step) in enumerate(rows):
        time += step
        events += tracker.update(np.array(row, np.float32), time, span)
        if number in finishes:
            events += tracker.finish(time, EndReason.CAMERA_OFFLINE)
    return events + tracker.finish(time, EndReason.SHUTDOWN)


@settings(max_examples=200, deadline=None)
@given(STREAMS, OVERRIDDEN, st.sampled_from([0.0, 1.9]), st.sets(st.integers(0, 149)))
def test_events_of_any_stream_follow_the_rules(
    rows: list[tuple[list[float], float]], settings: TrackerSettings, span: float, finishes: set[int]
) -> None:
    events = stream_of(rows, settings, span, finishes)
    by_id = defaultdict(list)
    for event in events:
        by_id[event.id].append(event)

    turns = [event for event in events if event.type is not EventType.UPDATE]
    assert [event.type for event in turns] == [EventType.START, EventType.END] * (len(turns) // 2)
    assert [event.id for event in turns[::2]] == [event.id for event in turns[1::2]]
    assert len(by_id) == len(turns) // 2

    assert "Idle" not in {event.activity for event in events}
    assert all(one.updated_at <= other.updated_at for one, other in pairwise(events))
    for of_one in by_id.values():
        assert [event.seq for event in of_one] == list(range(1, len(of_one) + 1))
        assert [of_one[0].type, of_one[-1].type] == [EventType.START, EventType.END]
        assert len({(event.started_at, event.detected_at, event.activity) for event in of_one}) == 1
        assert all(event.started_at <= event.detected_at <= event.updated_at for event in of_one)
        updates = [event.updated_at for event in of_one[:-1]]
        assert all(other - one >= settings.of(of_one[0].activity).update for one, other in pairwise(updates))
        end = of_one[-1]
        assert end.ended_at is not None
        assert end.started_at <= end.ended_at <= end.updated_at
        assert end.end_reason is not None
        assert 0 <= end.confidence.last <= end.confidence.peak <= 1
    for end, start in pairwise(turns):
        if start.type is EventType.START:
            assert end.ended_at is not None
            assert start.started_at >= end.ended_at
