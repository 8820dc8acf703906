"""What Prometheus reads at `/metrics`: frames, windows, events, how late they are, and how cameras and broker fare."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from models.contract import UNKNOWN
from stream.health import TICK
from stream.messages import CameraState, EventType, Health, HealthState, Notice
from stream.wire import Context, live_delay, measured_delay

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
"""Seconds."""


class Metrics:
    """An EventSink and HealthSink that counts. Names and units as Prometheus has them: seconds, totals, ratios 0 to 1.

    Source: https://prometheus.io/docs/practices/naming/
    """

    def __init__(self, context: Context, provider: str, wall_clock: Callable[[], float] = time.time) -> None:
        self._wall_clock = wall_clock
        self._activities = context.contract.activities
        self._registry = CollectorRegistry()
        self._frames = self._counter("frames", "Frames that recognition was handed.", "camera")
        self._dropped = self._counter("frames_dropped", "Frames that never reached recognition.", "camera", "cause")
        self._windows = self._counter("windows", "Recognitions.", "camera")
        self._unknown = self._counter("windows_unknown", "Of these, those of no activity.", "camera")
        self._events = self._counter("events", "Starts and ends of activities.", "camera", "activity", "type")
        self._late = Histogram(
            "harstream_stage_seconds", "From a frame's capture to its recognition (recognized), from an event's being "
            "handed over to the broker's word that it has it (acknowledged), and from the capture of an event's frame "
            "to that word (published).", ["stage"],
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._state = self._gauge("camera_state", "1 for the state that a camera is in.", "camera", "state")
        self._frame_age = self._gauge("frame_age_seconds", "Since a camera's last frame.", "camera")
        self._rate = self._gauge("frames_per_second", "Of late, those that were dropped included.", "camera")
        self._overloaded = self._gauge("camera_overloaded", "1: the machine cannot keep up with it.", "camera")
        self._reconnects = self._counter("camera_reconnects", "Connections after the first.", "camera")
        self._frozen = self._counter("camera_frozen_seconds", "In which a camera repeated one picture.", "camera")
        about = {"version": context.version, "model": context.contract.name, "model_version": context.contract.version}
        Info("harstream", "What runs here.", registry=self._registry).info(about | {"provider": provider})
        self._told: dict[str, Health] = {}
        """The last of each camera."""

    def watch_broker(
        self, is_connected: Callable[[], bool], *, waiting: Callable[[], int], lost: Callable[[], int]
    ) -> None:
        """Asked whenever somebody reads; `waiting`: events that the broker has not acknowledged yet; `lost`: those that
        it will never get."""
        self._gauge("mqtt_connected", "1: the broker is there.").set_function(lambda: float(is_connected()))
        self._gauge("mqtt_events_waiting", "Events on disk that the broker does not have yet.").set_function(waiting)
        self._gauge("mqtt_events_lost", "Events that became too old or too many to wait.").set_function(lost)

    def acknowledged(self, payload: bytes, seconds: float) -> None:
        """An event, encoded, reached the broker so long after it was handed over. From any thread."""
        self._late.labels("acknowledged").observe(seconds)
        delay = measured_delay(payload)
        if delay is not None:
            self._late.labels("published").observe(delay + seconds)

    def handle(self, notice: Notice) -> None:
        camera = notice.camera
        for event in notice.events:
            if event.type is not EventType.UPDATE:
                self._events.labels(camera, event.activity, event.type.value).inc()
        if notice.change is not None:
            if notice.change.state is CameraState.REMOVED:
                self._forget(camera)
            return
        self._frames.labels(camera).inc()
        if notice.scores is not None:
            self._windows.labels(camera).inc()
            if notice.activity.name == UNKNOWN:
                self._unknown.labels(camera).inc()
            delay = live_delay(notice.time, self._wall_clock())
            if delay is not None:
                self._late.labels("recognized").observe(delay)

    def tell(self, health: Health) -> None:
        camera = health.camera
        for state in HealthState:
            self._state.labels(camera, state.value).set(state is health.state)
        self._rate.labels(camera).set(health.fps)
        self._overloaded.labels(camera).set(health.overloaded)
        before = self._told.get(camera)
        if before is None:
            self._begin_at_0(camera)
        self._dropped.labels(camera, "newer_frame").inc(_grown(before.dropped if before else 0, health.dropped))
        self._reconnects.labels(camera).inc(_grown(before.reconnects if before else 0, health.reconnects))
        self._told[camera] = health
        self._frozen.labels(camera).inc(TICK if health.state is HealthState.FROZEN else 0.0)
        if health.frame_age is not None:
            self._frame_age.labels(camera).set(health.frame_age)

    def text(self) -> bytes:
        """In Prometheus' text format. From any thread."""
        return generate_latest(self._registry)

    def close(self) -> None: ...

    def _begin_at_0(self, camera: str) -> None:
        """Of a counter that is first seen at 1, Prometheus would count no increase."""
        for activity in self._activities:
            for kind in (EventType.START, EventType.END):
                self._events.labels(camera, activity, kind.value)

    def _forget(self, camera: str) -> None:
        self._told.pop(camera, None)
        for metric in (
            self._frames, self._dropped, self._windows, self._unknown, self._events, self._state, self._frame_age,
            self._rate, self._overloaded, self._reconnects, self._frozen,
        ):  # fmt: skip
            metric.remove_by_labels({"camera": camera})

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"harstream_{name}", told, labels, registry=self._registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(f"harstream_{name}", told, labels, registry=self._registry)


def _grown(before: int, now: int) -> int:
    """Of a count that begins anew with a camera's source."""
    return now - before if now >= before else now
