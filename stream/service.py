"""Cameras, recognition and listeners at work together, until the material or somebody ends it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from stream.clock import Clock
from stream.errors import SinkError
from stream.health import TICK, HealthWatch
from stream.messages import CameraChange, Frame, Step
from stream.newest import Inbox
from stream.pipeline import Pipeline
from stream.ports import EventSink, FrameSink, FrameSource, HealthSink

log = logging.getLogger(__name__)
T = TypeVar("T")


class Service:
    """One reader thread a camera; recognition and the hand-over to the sinks run on the caller's thread."""

    def __init__(
        self,
        sources: Sequence[FrameSource],
        pipeline: Pipeline,
        event_sinks: Mapping[str, EventSink],
        frame_sinks: Mapping[str, FrameSink],
        stopping: threading.Event,
    ) -> None:
        """Sinks by a name for the log, started; `stopping` is the event that the sources look at."""
        self._sources = sources
        self._pipeline = pipeline
        self._deliveries = [
            *(_Delivery(name, without_pixels(sink)) for name, sink in event_sinks.items()),
            *(_Delivery(name, sink.show) for name, sink in frame_sinks.items()),
        ]
        self._reports = [
            _Delivery(name, sink.tell)
            for name, sink in (*event_sinks.items(), *frame_sinks.items())
            if isinstance(sink, HealthSink)
        ]
        self._stopping = stopping
        self._inbox = Inbox()
        cameras = {source.camera: source.is_live for source in sources}
        self._health = HealthWatch(cameras, self._inbox.arrived, self._inbox.dropped, Clock().now, pipeline.rate)

    def run(self) -> None:
        """Until every source has ended or `stop` was called; raises what a source raised."""
        threads = [threading.Thread(target=self._read, args=(source,), name=source.camera) for source in self._sources]
        for thread in threads:
            self._inbox.expect_reader()
            thread.start()
        try:
            for step in self._pipeline.steps(self._batches()):
                self._health.see(step.notice)
                for delivery in self._deliveries:
                    delivery(step)
        finally:
            self.stop()
            for thread in threads:
                thread.join()
            self._say_what_was_dropped()

    @property
    def dropped(self) -> int:
        """Frames of live cameras that nobody took in time."""
        return sum(self._inbox.dropped.values())

    def stop(self) -> None:
        """From any thread, or a signal handler."""
        self._stopping.set()
        self._inbox.close()

    def _batches(self) -> Iterator[list[Frame | CameraChange]]:
        """What the inbox has; now and then, also when nothing comes, the sinks are told how the cameras fare."""
        for batch in self._inbox.batches(patience=TICK):
            for health in self._health.look():
                for report in self._reports:
                    report(health)
            yield batch

    def _read(self, source: FrameSource) -> None:
        with self._inbox.reader():
            for item in source.frames():
                self._inbox.put(item, is_live=source.is_live)
                if self._stopping.is_set():
                    return
            self._health.end(source.camera)

    def _say_what_was_dropped(self) -> None:
        for camera, count in self._inbox.dropped.items():
            log.info("camera %s: %d frames were dropped because newer ones had come", camera, count)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM call `stop`; a second Ctrl-C interrupts as usual."""

    def handle(number: int, _: object) -> None:
        signal.signal(number, previous[number])
        log.info("stopping")
        stop()

    previous = {int(number): signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def without_pixels(sink: EventSink) -> Callable[[Step], None]:
    """What hands an EventSink its notices: it never sees a picture."""
    return lambda step: sink.handle(step.notice)


class _Delivery(Generic[T]):
    """Hand messages to one sink. A broken one is logged when it breaks and when it works again; the others go on."""

    def __init__(self, name: str, deliver: Callable[[T], None]) -> None:
        self._name = name
        self._deliver = deliver
        self._failed = 0

    def __call__(self, message: T) -> None:
        try:
            self._deliver(message)
        except SinkError as error:
            if not self._failed:
                log.warning("%s fails, recognition goes on: %s", self._name, error)
            self._failed += 1
            return
        if self._failed:
            log.info("%s works again; %d messages were lost to it", self._name, self._failed)
            self._failed = 0
