"""Prometheus's own library parses the metrics. The expected values are worked out by hand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harstream.stream.sinks.metrics import Metrics
from harstream.wire.context import Context
from harstream.wire.health import DeliveryCounts, HealthState
from harstream.wire.values import CameraState, EventType
from tests.support.values import MakeEvent, MakeHealth, MakeNotice, make_scores, subject

NOON = 1_700_000_000.0


class Reader:
    """Reads metrics whose clock is at a tenth of a second after noon."""

    def __init__(self, context: Context) -> None:
        self.seconds = 0.0
        self.metrics = Metrics(context, "CPU", wall_clock=lambda: NOON + 0.1, clock=lambda: self.seconds)

    def read(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(self.metrics.text().decode()):
            for sample in family.samples:
                if sample.name == f"harstream_{name}" and sample.labels == labels:
                    return sample.value
        return None


@pytest.fixture
def reader(context: Context) -> Reader:
    return Reader(context)


def test_frames_windows_and_unknown_windows_are_counted(reader: Reader, make_notice: MakeNotice) -> None:
    for notice in (
        make_notice(state=CameraState.LIVE),
        make_notice(),
        make_notice(scores=(0.1, 0.8, 0.1), activity="JumpingJack"),
        make_notice(scores=(0.9, 0.05, 0.05)),
        make_notice(camera="yard", scores=(0.9, 0.05, 0.05)),
    ):
        reader.metrics.handle(notice)
    assert reader.read("frames_total", camera="hall") == 3
    assert reader.read("windows_total", camera="hall") == 2
    assert reader.read("windows_unknown_total", camera="hall") == 1
    assert reader.read("frames_total", camera="yard") == 1


def test_each_person_has_windows_of_their_own(reader: Reader, make_notice: MakeNotice) -> None:
    lunging, unknown, scores = subject(1, "Lunges"), subject(2, "unknown"), make_scores(0.5, 0.4, 0.1)
    for subjects in (
        [lunging._replace(scores=scores), unknown._replace(scores=scores)],
        [lunging, unknown._replace(scores=scores)],  # no window of the first one is due
        [lunging, unknown],
    ):
        reader.metrics.handle(make_notice(subjects=subjects))
    assert reader.read("windows_total", camera="hall") == 3
    assert reader.read("windows_unknown_total", camera="hall") == 2
    assert reader.metrics.summary().windows == 3


def test_the_latency_of_a_recognition_is_counted_in_its_bucket(reader: Reader, make_notice: MakeNotice) -> None:
    reader.metrics.handle(make_notice(scores=(0.1, 0.8, 0.1)))
    reader.metrics.handle(make_notice(scores=(0.1, 0.8, 0.1), time=NOON + 0.09))
    reader.metrics.handle(make_notice(scores=(0.1, 0.8, 0.1), time=3.0))  # a replay: its latency does not count
    reader.metrics.count_acknowledged(0.03, 0.003)
    reader.metrics.count_acknowledged(None, 0.003)
    assert reader.read("stage_seconds_count", stage="recognized") == 2
    assert reader.read("stage_seconds_sum", stage="recognized") == pytest.approx(0.11)
    assert reader.read("stage_seconds_bucket", stage="recognized", le="0.02") == 1
    assert reader.read("stage_seconds_bucket", stage="recognized", le="0.15") == 2
    assert reader.read("stage_seconds_bucket", stage="acknowledged", le="0.005") == 2
    assert reader.read("stage_seconds_count", stage="published") == 1
    assert reader.read("stage_seconds_sum", stage="published") == pytest.approx(0.033)


def test_starts_and_ends_are_counted_and_updates_are_not(
    reader: Reader, make_notice: MakeNotice, make_event: MakeEvent
) -> None:
    for kind in (EventType.START, EventType.UPDATE, EventType.UPDATE, EventType.END):
        reader.metrics.handle(make_notice(make_event(kind)))
    counted = {
        kind: reader.read("events_total", camera="hall", activity="JumpingJack", type=kind) for kind in EventType
    }
    assert counted == {"start": 1, "update": None, "end": 1}


def test_activities_of_a_camera_are_counted_from_0(reader: Reader, make_health: MakeHealth) -> None:
    reader.metrics.report(make_health())
    for activity, count in (("JumpingJack", 0), ("Lunges", 0), ("Idle", None)):
        for kind in ("start", "end"):
            assert reader.read("events_total", camera="hall", activity=activity, type=kind) == count


def test_the_health_of_a_camera_is_reported(reader: Reader, make_health: MakeHealth) -> None:
    reader.metrics.report(make_health(dropped=12, reconnects=2, overloaded=True))
    for _ in range(3):
        reader.metrics.report(make_health(state=HealthState.FROZEN, frame_age=0.5, fps=24.5))
    assert reader.read("camera_state", camera="hall", state="frozen") == 1
    assert reader.read("camera_state", camera="hall", state="live") == 0
    assert reader.read("camera_frozen_seconds_total", camera="hall") == 3
    assert reader.read("frames_per_second", camera="hall") == 24.5
    assert reader.read("frame_age_seconds", camera="hall") == 0.5
    assert reader.read("camera_overloaded", camera="hall") == 0
    reader.metrics.report(make_health(overloaded=True))
    assert reader.read("camera_overloaded", camera="hall") == 1


def test_drops_and_reconnections_are_counted_across_a_restart(reader: Reader, make_health: MakeHealth) -> None:
    for dropped, reconnects in ((12, 2), (15, 2), (15, 0), (16, 1)):
        reader.metrics.report(make_health(dropped=dropped, reconnects=reconnects))
    assert reader.read("frames_dropped_total", camera="hall", cause="overload") == 16
    assert reader.read("camera_reconnects_total", camera="hall") == 3


def test_a_removed_camera_is_no_longer_reported(
    reader: Reader, make_notice: MakeNotice, make_health: MakeHealth
) -> None:
    for camera in ("hall", "yard"):
        reader.metrics.handle(make_notice(camera=camera, scores=(0.1, 0.8, 0.1)))
        reader.metrics.report(make_health(camera=camera))
    reader.metrics.handle(make_notice(state=CameraState.REMOVED))
    text = reader.metrics.text().decode()
    assert 'camera="hall"' not in text
    assert 'camera="yard"' in text


def test_versions_and_broker_state_are_reported(reader: Reader) -> None:
    waiting = [3]
    reader.metrics.watch_broker(lambda: True, lambda: DeliveryCounts(waiting=waiting[0], dropped_events=5))
    assert reader.read("info", version="0.1.0", model="lrcn", model_version="1.0.0", provider="CPU") == 1
    assert reader.read("mqtt_connected") == 1
    assert reader.read("mqtt_events_waiting") == 3
    assert reader.read("mqtt_events_lost") == 5
    waiting[0] = 0
    assert reader.read("mqtt_events_waiting") == 0


def test_the_summary_adds_up_all_cameras(
    reader: Reader, make_notice: MakeNotice, make_event: MakeEvent, make_health: MakeHealth
) -> None:
    for notice in (
        make_notice(),
        make_notice(make_event(), scores=(0.1, 0.8, 0.1), activity="JumpingJack"),
        make_notice(make_event(EventType.UPDATE), make_event(EventType.END), scores=(0.9, 0.05, 0.05)),
        make_notice(make_event(camera="yard", activity="Lunges"), camera="yard", scores=(0.9, 0.05, 0.05)),
    ):
        reader.metrics.handle(notice)
    reader.metrics.report(make_health(dropped=12))
    reader.metrics.report(make_health(camera="yard", state=HealthState.STALLED, dropped=3))
    reader.seconds = 61.0
    stats = reader.metrics.summary()
    assert (stats.time, stats.uptime, stats.provider) == (NOON + 0.1, 61.0, "CPU")
    assert (stats.cameras, stats.live) == (2, 1)
    assert (stats.frames, stats.dropped, stats.windows, stats.unknown) == (4, 15, 3, 2)
    assert (stats.starts, stats.ends) == (2, 1)


def test_latencies_cover_the_time_since_the_previous_summary(reader: Reader, make_notice: MakeNotice) -> None:
    assert reader.metrics.summary().latency is None
    for hundredths in range(11):  # latencies of 0.10, 0.09 ... 0.00 s: their median is 0.05 s
        reader.metrics.handle(make_notice(scores=(0.1, 0.8, 0.1), time=NOON + hundredths / 100))
    reader.metrics.handle(make_notice(scores=(0.1, 0.8, 0.1), time=3.0))  # a replay: its latency does not count
    assert reader.metrics.summary().latency == pytest.approx((0.05, 0.095), abs=1e-6)
    assert reader.metrics.summary().latency is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_cpu_time_and_memory_are_those_of_this_process(reader: Reader) -> None:
    reader.metrics.summary()
    began = time.process_time()
    while time.process_time() - began < 0.5:
        pass
    reader.seconds += 1.0
    stats = reader.metrics.summary()
    assert stats.cpu == pytest.approx(time.process_time() - began, abs=0.05)
    assert stats.memory is not None
    assert 2**24 < stats.memory < 2**36
