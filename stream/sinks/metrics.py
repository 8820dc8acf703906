"""Counts frames, windows, events, latencies, and the health of cameras and broker.

Prometheus reads the counts at `/metrics`; subscribers of MQTT get a summary.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from harstream.models.contract import UNKNOWN
from harstream.stream.service.health import TICK
from harstream.wire.context import Context
from harstream.wire.timestamps import live_delay
from harstream.wire.values import CameraState, EventType, Health, HealthState, LatencyStats, NodeStats, Notice

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
"""Seconds."""
MOST_DELAYS = 20_000
"""The newest recognitions kept between two summaries: more than a minute of 30 cameras."""


class Metrics:
    """An EventSink and HealthSink that counts. Names and units as Prometheus has them: seconds, totals, ratios 0 to 1.

    Source: https://prometheus.io/docs/practices/naming/
    """

    def __init__(
        self,
        context: Context,
        provider: str,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._wall_clock = wall_clock
        self._clock = clock
        self._began = self._summed_up_at = clock()
        self._delays: deque[float] = deque(maxlen=MOST_DELAYS)
        self._activities = context.contract.activities
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._cpu_seconds = self._of_process("cpu_seconds_total")
        self._frames = self._counter("frames", "Frames that were handed to recognition.", "camera")
        self._dropped = self._counter("frames_dropped", "Frames that never reached recognition.", "camera", "cause")
        self._windows = self._counter("windows", "Recognitions.", "camera")
        self._unknown = self._counter("windows_unknown", "Recognitions without an activity.", "camera")
        self._events = self._counter("events", "Starts and ends of activities.", "camera", "activity", "type")
        self._late = Histogram(
            "harstream_stage_seconds", "From a frame's capture to its recognition (recognized), from the handing over "
            "of an event to the broker's acknowledgement (acknowledged), and from the capture of an event's frame to "
            "the acknowledgement (published).", ["stage"],
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._state = self._gauge("camera_state", "1 for the state that a camera is in.", "camera", "state")
        self._frame_age = self._gauge("frame_age_seconds", "Seconds since a camera's last frame.", "camera")
        self._rate = self._gauge(
            "frames_per_second", "Frames per second that came lately, dropped frames included.", "camera"
        )
        self._overloaded = self._gauge("camera_overloaded", "1: the machine cannot keep up with the camera.", "camera")
        self._reconnects = self._counter("camera_reconnects", "Connections after the first.", "camera")
        self._frozen = self._counter(
            "camera_frozen_seconds", "Seconds in which a camera repeated one picture.", "camera"
        )
        about = {"version": context.version, "model": context.contract.name, "model_version": context.contract.version}
        Info("harstream", "What runs here.", registry=self._registry).info(about | {"provider": provider})
        self._told: dict[str, Health] = {}
        """The last health of each camera."""

    def watch_broker(
        self, is_connected: Callable[[], bool], *, waiting: Callable[[], int], lost: Callable[[], int]
    ) -> None:
        """Calls these whenever somebody reads.

        `waiting`: events that the broker has not acknowledged yet; `lost`: events that it will never get.
        """
        self._gauge("mqtt_connected", "1: connected to the broker.").set_function(lambda: float(is_connected()))
        self._gauge("mqtt_events_waiting", "Events on disk that the broker has not acknowledged yet.").set_function(
            waiting
        )
        self._gauge("mqtt_events_lost", "Events that became too old or too many to wait.").set_function(lost)

    def acknowledged(self, delay: float | None, seconds: float) -> None:
        """Counts an event that reached the broker so many seconds after it was handed over. From any thread.

        `delay`: seconds from its frame's capture until it was handed over; None where nobody measured it.
        """
        self._late.labels("acknowledged").observe(seconds)
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
                self._delays.append(delay)
                self._late.labels("recognized").observe(delay)

    def report(self, health: Health) -> None:
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

    def summary(self) -> NodeStats:
        """Returns a summary; latency and CPU are measured since the one before. Runs on the thread of `handle`."""
        delays, now, memory = list(self._delays), self._clock(), self._of_process("resident_memory_bytes")
        stats = NodeStats(
            time=self._wall_clock(),
            uptime=now - self._began,
            provider=self._provider,
            cameras=_total(self._state),
            live=_total(self._state, state=HealthState.LIVE),
            frames=_total(self._frames),
            dropped=_total(self._dropped),
            windows=_total(self._windows),
            unknown=_total(self._unknown),
            starts=_total(self._events, type=EventType.START),
            ends=_total(self._events, type=EventType.END),
            latency=LatencyStats(float(np.quantile(delays, 0.5)), float(np.quantile(delays, 0.95))) if delays else None,
            cpu=self._cores_busy(now - self._summed_up_at),
            memory=None if memory is None else int(memory),
        )
        self._delays.clear()
        self._summed_up_at = now
        return stats

    def text(self) -> bytes:
        """Returns all counts in the text format of Prometheus. Any thread may call it."""
        return generate_latest(self._registry)

    def close(self) -> None: ...

    def _begin_at_0(self, camera: str) -> None:
        """Creates the counters at 0: Prometheus counts no increase of a counter that it first sees at 1."""
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

    def _cores_busy(self, seconds: float) -> float | None:
        """Returns the cores kept busy in the last so many seconds."""
        before, self._cpu_seconds = self._cpu_seconds, self._of_process("cpu_seconds_total")
        if before is None or self._cpu_seconds is None or seconds <= 0:
            return None
        return (self._cpu_seconds - before) / seconds

    def _of_process(self, name: str) -> float | None:
        return self._registry.get_sample_value(f"process_{name}")

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"harstream_{name}", description, labels, registry=self._registry)

    def _gauge(self, name: str, description: str, *labels: str) -> Gauge:
        return Gauge(f"harstream_{name}", description, labels, registry=self._registry)


def _total(metric: Counter | Gauge, **labels: str) -> int:
    """Returns the sum of all samples with these labels."""
    samples = (sample for family in metric.collect() for sample in family.samples)
    return round(
        sum(s.value for s in samples if not s.name.endswith("_created") and labels.items() <= s.labels.items())
    )


def _grown(before: int, now: int) -> int:
    """Returns the increase of a count that starts again at 0 with each source of a camera."""
    return now - before if now >= before else now
