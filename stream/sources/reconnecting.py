"""A live camera that reconnects: it opens, reads until it fails, waits and opens again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from harstream.models.picture import Picture
from harstream.resilience.backoff import Backoff
from harstream.resilience.outage import Outage
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.errors import as_source_error
from harstream.wire.errors import Trouble
from harstream.wire.values import CameraChange, CameraState, Frame

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Shortest and longest wait between two attempts, in seconds."""
STABLE = 10.0
"""Seconds of pictures after which a connection is not a short one."""
REFUSED_WAIT = 120.0
"""Shortest wait after a refused login, in seconds. Cameras lock accounts after too many attempts."""
FOR_A_PERSON = frozenset({Trouble.LOGIN_REFUSED, Trouble.NO_SUCH_STREAM, Trouble.NO_VIDEO, Trouble.UNDECODABLE})
"""Troubles that do not pass by themselves. They are reported also when they come later in an outage."""

Pictures = Iterator[tuple[float, Picture]]


class ReconnectingSource:
    """A FrameSource over `open_pictures`, which yields (seconds by the clock, picture) or raises SourceError."""

    is_live = True

    def __init__(
        self,
        camera: str,
        open_pictures: Callable[[], Pictures],
        clock: Clock,
        stopping: threading.Event,
        *,
        must_open: bool,
    ) -> None:
        """`must_open`: `frames` raises the error of a failed first attempt, so that it does not retry a wrong URL."""
        self.camera = camera
        self._open_pictures = open_pictures
        self._clock = clock
        self._stopping = stopping
        self._must_open = must_open
        self._is_flapping = False
        """Whether the last connection with pictures was a short one. Then the waits keep growing."""
        self._reported = Trouble.OTHER
        """The trouble of the last change to offline."""

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Yield frames and changes until stopped. Raises SourceError if `must_open` and the first attempt fails."""
        has_been_live = False
        outage = self._new_outage()
        backoff = Backoff(self._stopping, first=FIRST_WAIT, longest=LONGEST_WAIT)
        while not self._stopping.is_set():
            reason, trouble = "the stream ended", Trouble.ENDED
            try:
                for item in self._frames_until_failure(outage, backoff):
                    has_been_live = True
                    yield item
                    if isinstance(item, Frame) and self._stopping.is_set():
                        return
            except Exception as error:
                reason, trouble = self._describe(error, may_retry=has_been_live or not self._must_open)
            if not outage.is_ongoing or (trouble in FOR_A_PERSON and trouble is not self._reported):
                yield self._offline(outage, reason, trouble)
            outage.record_failure(reason)
            backoff.wait(at_least=REFUSED_WAIT if trouble is Trouble.LOGIN_REFUSED else 0.0)

    def _describe(self, error: Exception, *, may_retry: bool) -> tuple[str, Trouble]:
        """Return the reason of a failure, and its kind. Raises it as SourceError if it may not be retried.

        Nothing keeps the error itself: its traceback would hold the decoder, with its threads, until the next failure.
        """
        failure = as_source_error(error, self.camera)
        if not may_retry:
            raise failure from failure.__cause__
        return str(failure), failure.trouble

    def _offline(self, outage: Outage, reason: str, trouble: Trouble) -> CameraChange:
        """Return the change to offline. Log another reason in an outage; the outage logs the first one itself."""
        if outage.is_ongoing:
            log.warning("camera %s is still offline: %s", self.camera, reason, extra={"camera": self.camera})
        self._reported = trouble
        return CameraChange(self.camera, self._clock.now(), CameraState.OFFLINE, reason, trouble)

    def _frames_until_failure(self, outage: Outage, backoff: Backoff) -> Iterator[Frame | CameraChange]:
        """Open once. Yield the change to live with the first picture, then frames. Raises SourceError."""
        live_since: float | None = None
        for time, picture in self._open_pictures():
            if live_since is None:
                live_since = time
                if not outage.is_ongoing:
                    log.info("camera %s is live", self.camera, extra={"camera": self.camera})
                outage.record_success()
                if not self._is_flapping:
                    backoff.reset()
                self._is_flapping = True
                yield CameraChange(self.camera, time, CameraState.LIVE)
            if time - live_since >= STABLE:
                self._is_flapping = False
                backoff.reset()
            yield Frame(self.camera, time, picture)

    def _new_outage(self) -> Outage:
        return Outage(
            log,
            self.camera,
            begins="camera %s is offline, still retrying: %s",
            ends="camera %s is live after %d attempts",
            extra={"camera": self.camera},
        )
