"""Cameras, recognition and sinks at work together, until the material ends or somebody stops them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from harstream.resilience.outage import Outage
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.health import TICK, HealthWatch
from harstream.stream.service.protocols import EventSink, FrameSink, HealthSink, Named
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.reader import NewSource, Reader, Removed, SwitchedOff
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraChange, CameraState, Frame, Notice, Step

log = logging.getLogger(__name__)
T = TypeVar("T")


class Service:
    """Runs one reader thread per camera. Recognition and the calls of the sinks run on the thread that calls `run`.

    Cameras may come, go, and be switched off and on at any time, from any thread. The other cameras do not notice.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        event_sinks: Sequence[Named[EventSink]],
        frame_sinks: Sequence[Named[FrameSink]],
        clock: Clock,
    ) -> None:
        """Each step goes to the sinks in their order, event sinks first. `clock` is the one that the sources use."""
        self._pipeline = pipeline
        self._clock = clock
        self._event_deliveries = [_Delivery(named.name, without_pixels(named.sink)) for named in event_sinks]
        self._frame_deliveries = [_Delivery(named.name, named.sink.show) for named in frame_sinks]
        self._reports = [
            _Delivery(named.name, named.sink.report)
            for named in [*event_sinks, *frame_sinks]
            if isinstance(named.sink, HealthSink)
        ]
        self._inbox = Inbox()
        self._health = HealthWatch(self._inbox.arrived, self._inbox.dropped, clock.now, pipeline.rate)
        self._changing = threading.Lock()
        self._readers: dict[str, Reader] = {}
        """The last reader of each camera."""
        self._removed: set[str] = set()
        self._is_stopping = False

    def watch(self, camera: str, new_source: NewSource) -> None:
        """Start to read this source, in place of the camera's earlier one. Raises the errors of `new_source`; then
        nothing changes."""
        with self._changing:
            is_new = camera not in self._readers or camera in self._removed
            change = None if is_new else self._change(camera, CameraState.CONNECTING)
            reader = self._new_reader(camera, new_source, change)
            self._removed.discard(camera)
            self._health.watch(camera, is_live=reader.is_live)
            self._start_reader(camera, reader)

    def switch_off(self, camera: str) -> None:
        """Release the camera's device and end its activity. `watch` switches it on again."""
        change = self._change(camera, CameraState.DISABLED)
        with self._changing:
            if camera not in self._readers or camera in self._removed:
                self._removed.discard(camera)
                self._health.watch(camera, is_live=True)
            self._start_reader(camera, self._new_reader(camera, partial(SwitchedOff, camera), change))

    def unwatch(self, camera: str) -> None:
        """Remove a camera. Sinks receive this change, and nothing of the camera after it."""
        change = self._change(camera, CameraState.REMOVED)
        with self._changing:
            self._removed.add(camera)
            self._start_reader(camera, self._new_reader(camera, lambda _: Removed(camera), change))

    def retune(self, camera: str, settings: TrackerSettings) -> None:
        """Set when this camera's activities start and end, from now on."""
        self._pipeline.retune(camera, settings)

    def run(self, *, owed: Sequence[Notice] = ()) -> None:
        """Return when every source has ended, or after `stop`. Raises the errors of the sources.

        `owed` are notices that a killed run did not deliver; the event sinks receive them first.
        """
        try:
            self._deliver_owed(owed)
            for step in self._pipeline.steps(self._batches()):
                self._health.see(step.notice)
                for delivery in (*self._event_deliveries, *self._frame_deliveries):
                    delivery(step)
                if step.notice.change is not None:
                    self._forget_if_removed(step.notice.change)
        finally:
            self.close()
            self._log_dropped_frames()

    @property
    def dropped(self) -> int:
        """Frames of live cameras that newer ones replaced before recognition had time for them."""
        return sum(self._inbox.dropped.values())

    def stop(self) -> None:
        """Make `run` return soon. From any thread, or from a signal handler."""
        self._is_stopping = True
        self._inbox.close()
        for reader in list(self._readers.values()):
            reader.stop()

    def close(self) -> None:
        """Stop, and wait until every device is released."""
        self.stop()
        with self._changing:
            readers = list(self._readers.values())
        for reader in readers:
            reader.join()

    def _new_reader(self, camera: str, new_source: NewSource, first: CameraChange | None = None) -> Reader:
        earlier = self._readers.get(camera)
        return Reader(new_source, self._inbox, ended=self._health.end, first=first, after=earlier)

    def _start_reader(self, camera: str, reader: Reader) -> None:
        self._readers[camera] = reader
        if self._is_stopping:  # `stop` may not have seen this reader
            reader.stop()
        reader.start()

    def _change(self, camera: str, state: CameraState) -> CameraChange:
        return CameraChange(camera, self._clock.now(), state)

    def _deliver_owed(self, owed: Sequence[Notice]) -> None:
        # In reverse, so that the history is last: if this run is killed here, the history still owes the notices.
        for delivery in reversed(self._event_deliveries):
            for notice in owed:
                delivery(Step(notice, None))

    def _batches(self) -> Iterator[list[Frame | CameraChange]]:
        """Yield what is in the inbox. About once a second, also without frames, report the cameras' health."""
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
            if change.camera in self._removed:  # otherwise it was added again meanwhile
                self._removed.discard(change.camera)
                self._readers.pop(change.camera).join()
                self._health.forget(change.camera)

    def _log_dropped_frames(self) -> None:
        for camera, count in self._inbox.dropped.items():
            text = "camera %s: %d frames were dropped because newer ones had come"
            log.info(text, camera, count, extra={"camera": camera})


def without_pixels(sink: EventSink) -> Callable[[Step], None]:
    """Return a function that gives an EventSink the notice of a step, without the picture."""
    return lambda step: sink.handle(step.notice)


class _Delivery(Generic[T]):
    """Gives messages to one sink. Logs when the sink fails and when it works again; the other sinks go on."""

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
