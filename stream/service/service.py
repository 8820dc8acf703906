"""Cameras, recognition and listeners at work together, until the material or somebody ends it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Generic, TypeVar

from harstream.resilience.outage import Outage
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.health import TICK, HealthWatch
from harstream.stream.service.protocols import EventSink, FrameSink, HealthSink
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.reader import NewSource, Reader, Removed, SwitchedOff
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraChange, CameraState, Frame, Notice, Step

log = logging.getLogger(__name__)
T = TypeVar("T")


class Service:
    """One reader thread a camera; recognition and the hand-over to the sinks run on the caller's thread.

    Cameras come, go, and are switched off and on at any time, from any thread; the others notice nothing.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        event_sinks: Mapping[str, EventSink],
        frame_sinks: Mapping[str, FrameSink],
        clock: Clock,
        *,
        owed: Sequence[Notice] = (),
    ) -> None:
        """Sinks by a name for the log, started; `clock`: that of the sources. `owed`: what an earlier run has left
        for the event sinks; they are told first."""
        self._pipeline = pipeline
        self._clock = clock
        self._owed = owed
        self._event_deliveries = [_Delivery(name, without_pixels(sink)) for name, sink in event_sinks.items()]
        self._deliveries = [
            *self._event_deliveries,
            *(_Delivery(name, sink.show) for name, sink in frame_sinks.items()),
        ]
        self._reports = [
            _Delivery(name, sink.report)
            for name, sink in (*event_sinks.items(), *frame_sinks.items())
            if isinstance(sink, HealthSink)
        ]
        self._inbox = Inbox()
        self._health = HealthWatch(self._inbox.arrived, self._inbox.dropped, clock.now, pipeline.rate)
        self._changing = threading.Lock()
        self._readers: dict[str, Reader] = {}
        """The last of each camera."""
        self._removed: set[str] = set()
        self._is_stopping = False

    def watch(self, camera: str, new_source: NewSource) -> None:
        """Begin at once, in place of the source that this camera had. Raises what `new_source` raises, and then nothing
        has changed."""
        with self._changing:
            is_new = camera not in self._readers or camera in self._removed
            change = None if is_new else self._change(camera, CameraState.CONNECTING)
            reader = self._reader(camera, new_source, change)
            self._removed.discard(camera)
            self._health.watch(camera, is_live=reader.is_live)
            self._follow(camera, reader)

    def switch_off(self, camera: str) -> None:
        """Let go of its device and end what goes on; `watch` switches it on again."""
        change = self._change(camera, CameraState.DISABLED)
        with self._changing:
            if camera not in self._readers or camera in self._removed:
                self._removed.discard(camera)
                self._health.watch(camera, is_live=True)
            self._follow(camera, self._reader(camera, partial(SwitchedOff, camera), change))

    def unwatch(self, camera: str) -> None:
        """For good: nobody is told of it any more."""
        change = self._change(camera, CameraState.REMOVED)
        with self._changing:
            self._removed.add(camera)
            self._follow(camera, self._reader(camera, lambda _: Removed(camera), change))

    def retune(self, camera: str, settings: TrackerSettings) -> None:
        """When its activities start and end, from now on."""
        self._pipeline.retune(camera, settings)

    def run(self) -> None:
        """Until every source has ended or `stop` was called; raises what a source raised."""
        try:
            self._tell_what_is_owed()
            for step in self._pipeline.steps(self._batches()):
                self._health.see(step.notice)
                for delivery in self._deliveries:
                    delivery(step)
                if step.notice.change is not None:
                    self._forget_if_removed(step.notice.change)
        finally:
            self.close()
            self._say_what_was_dropped()

    @property
    def dropped(self) -> int:
        """Frames of live cameras that nobody took in time."""
        return sum(self._inbox.dropped.values())

    def stop(self) -> None:
        """From any thread, or a signal handler."""
        self._is_stopping = True
        self._inbox.close()
        for reader in list(self._readers.values()):
            reader.stop()

    def close(self) -> None:
        """Stops, and waits until every device is let go of."""
        self.stop()
        with self._changing:
            readers = list(self._readers.values())
        for reader in readers:
            reader.join()

    def _reader(self, camera: str, new_source: NewSource, first: CameraChange | None = None) -> Reader:
        before = self._readers.get(camera)
        return Reader(new_source, self._inbox, ended=self._health.end, first=first, after=before)

    def _follow(self, camera: str, reader: Reader) -> None:
        self._readers[camera] = reader
        if self._is_stopping:  # and `stop` may not have seen this one
            reader.stop()
        reader.start()

    def _change(self, camera: str, state: CameraState) -> CameraChange:
        return CameraChange(camera, self._clock.now(), state)

    def _tell_what_is_owed(self) -> None:
        # The history, which is first otherwise, when all others know all: killed in between, it owes it still.
        for delivery in reversed(self._event_deliveries):
            for notice in self._owed:
                delivery(Step(notice, None))

    def _batches(self) -> Iterator[list[Frame | CameraChange]]:
        """What the inbox has; now and then, also when nothing comes, the sinks are told how the cameras fare."""
        for batch in self._inbox.batches(patience=TICK):
            for health in self._health.look():
                for report in self._reports:
                    report(health)
            yield batch

    def _forget_if_removed(self, change: CameraChange) -> None:
        if change.state is not CameraState.REMOVED:
            return
        self._pipeline.forget(change.camera)
        with self._changing:
            if change.camera in self._removed:  # and has not come again
                self._removed.discard(change.camera)
                self._readers.pop(change.camera).join()
                self._health.forget(change.camera)

    def _say_what_was_dropped(self) -> None:
        for camera, count in self._inbox.dropped.items():
            text = "camera %s: %d frames were dropped because newer ones had come"
            log.info(text, camera, count, extra={"camera": camera})


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


@contextmanager
def reloaded_by_signal(reload: Callable[[], object]) -> Iterator[None]:
    """Inside, SIGHUP calls `reload`, in the midst of anything: it only asks for it. Windows knows no such signal.

    A terminal that is closed sends it too, and then means what it always meant: the end, or with nohup nothing.
    """
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        yield
        return
    has_terminal = os.isatty(0)

    def handle(*_: object) -> None:
        if has_terminal and not os.isatty(0):
            signal.raise_signal(signal.SIGTERM)
        else:
            reload()

    previous = signal.signal(signal.SIGHUP, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)


def without_pixels(sink: EventSink) -> Callable[[Step], None]:
    """What hands an EventSink its notices: it never sees a picture."""
    return lambda step: sink.handle(step.notice)


class _Delivery(Generic[T]):
    """Hand messages to one sink. A broken one is logged when it breaks and when it works again; the others go on."""

    def __init__(self, name: str, deliver: Callable[[T], None]) -> None:
        self._deliver = deliver
        self._outage = Outage(
            log, name, begins="%s fails, recognition goes on: %s", ends="%s works again; %d messages were lost to it"
        )

    def __call__(self, message: T) -> None:
        try:
            self._deliver(message)
        except SinkError as error:
            self._outage.record_failure(error)
        else:
            self._outage.record_success()
