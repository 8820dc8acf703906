"""Measures frames, windows, events, latencies, and the health of cameras and broker.

Prometheus reads the metrics at `/metrics`. MQTT subscribers receive a summary.
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
from harstream.wire.health import DeliveryCounts, Health, HealthState, LatencyStats, NodeStats
from harstream.wire.timestamps import live_delay
from harstream.wire.values import CameraState, EventType, Notice

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, in seconds."""
MAX_DELAYS = 20_000
"""The largest number of delays kept between two summaries: more than a minute of 30 cameras."""


class Metrics:
    """An EventSink and HealthSink that counts. Names and units follow Prometheus: seconds, totals, ratios 0 to 1.

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
        self._began = self._last_summary_at = clock()
        self._delays: deque[float] = deque(maxlen=MAX_DELAYS)
        self._activities = context.contract.activities
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._cpu_seconds = self._process_value("cpu_seconds_total")
        self._frames = self._counter(
            "frames",
            "Frames that reached recognition.",
            "camera",
        )
        self._dropped = self._counter(
            "frames_dropped", "Needed frames that never reached recognition.", "camera", "cause"
        )
        self._windows = self._counter("windows", "Scored windows, with several people one per person.", "camera")
        self._unknown = self._counter("windows_unknown", "Those of them without an activity.", "camera")
        self._events = self._counter("events", "Starts and ends of activities.", "camera", "activity", "type")
        self._stage_seconds = self._new_stage_histogram()
        self._state = self._gauge("camera_state", "1 for the camera's current state, else 0.", "camera", "state")
        self._frame_age = self._gauge("frame_age_seconds", "Seconds since a camera's last frame.", "camera")
        self._rate = self._gauge(
            "frames_per_second", "Frames per second over the last 10 s, dropped frames included.", "camera"
        )
        self._overloaded = self._gauge(
            "camera_overloaded", "1 if the machine cannot keep up with the camera.", "camera"
        )
        self._reconnects = self._counter("camera_reconnects", "Connections after the first.", "camera")
        self._frozen = self._counter(
            "camera_frozen_seconds", "Seconds for which a camera repeated one picture.", "camera"
        )
        self._describe(context)
        self._healths: dict[str, Health] = {}
        """The last health of each camera."""

    def _new_stage_histogram(self) -> Histogram:
        description = (
            "Seconds from a frame's capture to its recognition (recognized), from an event's publication to the "
            "broker's acknowledgement (acknowledged), and from the capture of an event's frame to the acknowledgement "
            "(published)."
        )
        return Histogram("harstream_stage_seconds", description, ["stage"], buckets=BUCKETS, registry=self._registry)

    def _describe(self, context: Context) -> None:
        about = {"version": context.version, "model": context.contract.name, "model_version": context.contract.version}
        info = Info("harstream", "Version, model and provider.", registry=self._registry)
        info.info(about | {"provider": self._provider})

    def watch_broker(self, is_connected: Callable[[], bool], counts: Callable[[], DeliveryCounts]) -> None:
        """Add metrics of the broker. Each read of the metrics calls the functions."""
        self._gauge("mqtt_connected", "1 if connected to the broker.").set_function(lambda: float(is_connected()))
        self._gauge("mqtt_events_waiting", "Events on disk that the broker has not acknowledged yet.").set_function(
            lambda: counts().waiting
        )
        self._gauge("mqtt_events_lost", "Events dropped because they were too old or too many.").set_function(
            lambda: counts().dropped_events
        )
        self._gauge("mqtt_refused", "Refusals by the broker; a refused event is published again.").set_function(
            lambda: counts().refused
        )
        self._gauge("mqtt_events_set_aside", "Events in a file because the broker does not take them.").set_function(
            lambda: counts().set_aside
        )
        self._gauge("mqtt_too_large", "Messages over the largest packet that the broker takes.").set_function(
            lambda: counts().too_large
        )

    def count_acknowledged(self, delay: float | None, seconds: float) -> None:
        """Count an event that the broker acknowledged `seconds` after its publication. Callable from any thread.

        `delay`: seconds from the frame's capture to the publication; None if unknown.
        """
        self._stage_seconds.labels("acknowledged").observe(seconds)
        if delay is not None:
            self._stage_seconds.labels("published").observe(delay + seconds)

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
        if scored := [subject.activity.name for subject in notice.subjects if subject.scores]:
            self._windows.labels(camera).inc(len(scored))
            self._unknown.labels(camera).inc(scored.count(UNKNOWN))
            delay = live_delay(notice.time, self._wall_clock())
            if delay is not None:
                self._delays.append(delay)
                self._stage_seconds.labels("recognized").observe(delay)

    def report(self, health: Health) -> None:
        camera = health.camera
        for state in HealthState:
            self._state.labels(camera, state.value).set(state is health.state)
        self._rate.labels(camera).set(health.fps)
        self._overloaded.labels(camera).set(health.overloaded)
        before = self._healths.get(camera)
        if before is None:
            self._create_counters(camera)
        self._dropped.labels(camera, "overload").inc(_increase(before.dropped if before else 0, health.dropped))
        self._reconnects.labels(camera).inc(_increase(before.reconnects if before else 0, health.reconnects))
        self._healths[camera] = health
        self._frozen.labels(camera).inc(TICK if health.state is HealthState.FROZEN else 0.0)
        if health.frame_age is not None:
            self._frame_age.labels(camera).set(health.frame_age)

    def summary(self) -> NodeStats:
        """Return a summary. Latency and CPU cover the time since the last one. Call it on the thread of `handle`."""
        delays, now, memory = list(self._delays), self._clock(), self._process_value("resident_memory_bytes")
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
            cpu=self._cores_busy(now - self._last_summary_at),
            memory=None if memory is None else int(memory),
        )
        self._delays.clear()
        self._last_summary_at = now
        return stats

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus. Callable from any thread."""
        return generate_latest(self._registry)

    def close(self) -> None: ...

    def _create_counters(self, camera: str) -> None:
        """Create the counters at 0. Prometheus sees no increase in a counter that starts at 1."""
        for activity in self._activities:
            for kind in (EventType.START, EventType.END):
                self._events.labels(camera, activity, kind.value)

    def _forget(self, camera: str) -> None:
        self._healths.pop(camera, None)
        for metric in (
            self._frames, self._dropped, self._windows, self._unknown, self._events, self._state, self._frame_age,
            self._rate, self._overloaded, self._reconnects, self._frozen,
        ):  # fmt: skip
            metric.remove_by_labels({"camera": camera})

    def _cores_busy(self, seconds: float) -> float | None:
        """Return the number of busy cores over the last `seconds`."""
        before, self._cpu_seconds = self._cpu_seconds, self._process_value("cpu_seconds_total")
        if before is None or self._cpu_seconds is None or seconds <= 0:
            return None
        return (self._cpu_seconds - before) / seconds

    def _process_value(self, name: str) -> float | None:
        return self._registry.get_sample_value(f"process_{name}")

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"harstream_{name}", description, labels, registry=self._registry)

    def _gauge(self, name: str, description: str, *labels: str) -> Gauge:
        return Gauge(f"harstream_{name}", description, labels, registry=self._registry)


def _total(metric: Counter | Gauge, **labels: str) -> int:
    """Return the sum of all samples with these labels."""
    samples = (sample for family in metric.collect() for sample in family.samples)
    return round(
        sum(s.value for s in samples if not s.name.endswith("_created") and labels.items() <= s.labels.items())
    )


def _increase(before: int, now: int) -> int:
    """Return the increase of a count. The count restarts at 0 with each source of a camera."""
    return now - before if now >= before else now
