"""Runs cameras, recognition and sinks together until all recordings end or the service is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any

from harstream.resilience.background_delivery import LAST_CHANCE, BackgroundDelivery
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.service.delivery import Delivery, without_pixels
from harstream.stream.service.health import TICK, HealthWatch
from harstream.stream.service.protocols import EventSink, FrameSink, HealthSink, NamedSink, SettlingSink
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.reader import DisabledSource, NewSource, Reader, RemovedSource
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraChange, CameraState, Frame, Notice, Step

log = logging.getLogger(__name__)

LARGEST_STEP = 1.0
"""Seconds by which times may differ from the system clock."""


class Service:
    """Runs one reader thread per camera. Recognition and the sinks run on the thread that calls `run`.

    Any thread may add, remove, disable and enable cameras at any time. This does not affect the other cameras.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        event_sinks: Sequence[NamedSink[EventSink]],
        frame_sinks: Sequence[NamedSink[FrameSink]],
        clock: Clock,
    ) -> None:
        """Each step goes to the sinks in the given order, event sinks first. `clock`: the same as the sources'."""
        self._pipeline = pipeline
        self._clock = clock
        self._deliveries: list[Delivery[Any]] = []
        self._background: list[BackgroundDelivery[Step]] = []
        self._event_deliveries = [
            self._delivery(named, without_pixels(named.sink), _is_for_events) for named in event_sinks
        ]
        self._frame_deliveries = [self._delivery(named, named.sink.show, _is_for_frames) for named in frame_sinks]
        self._reports = [
            Delivery(named.name, named.sink.report)
            for named in [*event_sinks, *frame_sinks]
            if isinstance(named.sink, HealthSink)
        ]
        self._inbox = Inbox(
            pipeline.rate,
            lambda camera: any(named.sink.is_watching(camera) for named in frame_sinks),
            window=pipeline.window,
        )
        self._health = HealthWatch(self._inbox, clock.now, pipeline.rate)
        self._changing = threading.Lock()
        self._readers: dict[str, Reader] = {}
        """The last reader of each camera."""
        self._removed: set[str] = set()
        self._is_stopping = False
        self.is_clock_stale = False
        """Whether the service stopped because the system clock was set. A new service gives right times."""

    def watch(self, camera: str, new_source: NewSource) -> None:
        """Read this source in place of the camera's earlier one.

        Raises the errors of `new_source` and then changes nothing.
        """
        with self._changing:
            is_new = camera not in self._readers or camera in self._removed
            change = None if is_new else self._change(camera, CameraState.CONNECTING)
            reader = self._new_reader(camera, new_source, change)
            self._removed.discard(camera)
            self._health.watch(camera, is_live=reader.is_live)
            self._start_reader(camera, reader)

    def refused(self) -> list[str]:
        """Return the cameras that are offline because they refused the login. They are tried again only rarely."""
        return self._health.refused()

    def disable(self, camera: str) -> None:
        """Release the camera's device and end its activity. `watch` enables it again."""
        change = self._change(camera, CameraState.DISABLED)
        with self._changing:
            if camera not in self._readers or camera in self._removed:
                self._removed.discard(camera)
                self._health.watch(camera, is_live=True)
            self._start_reader(camera, self._new_reader(camera, partial(DisabledSource, camera), change))

    def remove(self, camera: str) -> None:
        """Remove a camera. Sinks receive this change as the camera's last notice."""
        change = self._change(camera, CameraState.REMOVED)
        with self._changing:
            self._removed.add(camera)
            self._start_reader(camera, self._new_reader(camera, lambda _: RemovedSource(camera), change))

    def set_tracker_settings(self, camera: str, settings: TrackerSettings) -> None:
        """Replace the settings that decide when this camera's activities start and end."""
        self._pipeline.set_tracker_settings(camera, settings)

    def set_view(self, camera: str, settings: ViewSettings) -> None:
        """Replace what the model sees of this camera."""
        self._pipeline.set_view(camera, settings)

    def run(self, *, undelivered: Sequence[Notice] = ()) -> None:
        """Run until every source has ended or `stop` is called. Raises the errors of the sources.

        `undelivered`: notices that a killed run did not deliver. The event sinks receive them first.
        """
        try:
            for background in self._background:
                background.start()
            self._deliver_undelivered(undelivered)
            for step in self._pipeline.steps(self._batches()):
                self._health.observe(step.notice)
                notice_alone = Step(step.notice, None)  # waiting events must not keep pictures in memory
                for delivery in self._event_deliveries:
                    delivery(notice_alone)
                for delivery in self._frame_deliveries:
                    delivery(step)
                if step.notice.change is not None:
                    self._forget_if_removed(step.notice.change)
        finally:
            self.close()
            self._log_dropped_frames()
            self._close_deliveries()

    @property
    def dropped(self) -> int:
        """Frames of live cameras that the model needed and that were dropped, because recognition was too slow."""
        return sum(self._inbox.dropped.values())

    def stop(self) -> None:
        """Make `run` return soon. Callable from any thread and from a signal handler."""
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

    @property
    def hanging(self) -> tuple[str, ...]:
        """Names of the sinks that hang. Any thread may ask."""
        return tuple(background.name for background in self._background if background.is_hanging)

    def _delivery(
        self, named: NamedSink[Any], deliver: Callable[[Step], None], is_needed: Callable[[Step], bool]
    ) -> Callable[[Step], None]:
        """Return what passes a step to this sink. `is_needed`: whether a background thread has work with the step."""
        delivery = Delivery(named.name, deliver)
        self._deliveries.append(delivery)
        if named.most_waiting is None:
            return delivery
        background = BackgroundDelivery(
            named.name, delivery, is_needed=is_needed, most_waiting=named.most_waiting, settle=self._settling(named)
        )
        self._background.append(background)
        return background

    def _settling(self, named: NamedSink[Any]) -> Callable[[], None] | None:
        if not isinstance(named.sink, SettlingSink):
            return None
        settle = named.sink.settle
        settling = Delivery[None](named.name, lambda _: settle())
        self._deliveries.append(settling)
        return lambda: settling(None)

    def _close_deliveries(self) -> None:
        """Give all sinks a last chance, and log what each missed. Raises SinkError if a sink hangs."""
        for background in self._background:
            background.request_close()
        deadline = monotonic() + LAST_CHANCE
        hanging = [background.name for background in self._background if not background.close(deadline)]
        for delivery in self._deliveries:
            delivery.close()
        if hanging:
            raise SinkError(f"{', '.join(hanging)} hangs: check the disk, or what reads the pipe")

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

    def _deliver_undelivered(self, undelivered: Sequence[Notice]) -> None:
        # The order is reversed so that the history is last. If this run is killed here, the next run delivers again.
        for delivery in reversed(self._event_deliveries):
            for notice in undelivered:
                delivery(Step(notice, None))

    def _batches(self) -> Iterator[list[Frame | CameraChange]]:
        """Yield the inbox's batches, and report the cameras' health about once a second, even without frames."""
        for batch in self._inbox.batches(timeout=TICK):
            if healths := self._health.check():  # about once a second
                for health in healths:
                    for report in self._reports:
                        report(health)
                for background in self._background:
                    background.check()
                self._stop_if_clock_was_set()
            yield batch

    def _stop_if_clock_was_set(self) -> None:
        """Stop between two activities if the system clock was set by a second or more. Recordings keep their times."""
        if abs(self._clock.step) < LARGEST_STEP or self._pipeline.has_activity or self._is_stopping:
            return
        if all(reader.is_live for reader in list(self._readers.values())):  # a copy: other threads add cameras
            log.warning(
                "the system clock was set by %+.0f s: the service starts again with right times", self._clock.step
            )
            self.is_clock_stale = True
            self.stop()

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
            text = "camera %s: %d frames were dropped because recognition was too slow"
            log.info(text, camera, count, extra={"camera": camera})


def _is_for_events(step: Step) -> bool:
    return bool(step.notice.events) or step.notice.change is not None


def _is_for_frames(step: Step) -> bool:
    return step.frame is not None
