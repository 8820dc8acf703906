"""A live camera that comes back: open, read until it fails, wait, open again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator

from harstream.models.picture import Picture
from harstream.stream.sources.clock import Clock
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.values import CameraChange, CameraState, Frame

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between tries, doubled each time, with up to half as much again at random."""
REFUSED_WAIT = 120.0
"""Seconds after a refused login: cameras lock accounts that are tried too often."""

Pictures = Iterator[tuple[float, Picture]]


class ReconnectingSource:
    """A FrameSource over `open_pictures`, which yields (seconds by the clock, picture) and raises SourceError."""

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
        """`must_open`: a first try that fails is raised, so that a wrong URL is not retried for ever."""
        self.camera = camera
        self._open_pictures = open_pictures
        self._clock = clock
        self._stopping = stopping
        self._must_open = must_open

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Raises SourceError if the first try fails and `must_open`."""
        tries, has_been_live = 0, False
        while not self._stopping.is_set():
            reason, trouble = "the stream ended", Trouble.ENDED
            is_live = False
            try:
                for time, picture in self._open_pictures():
                    if not is_live:
                        after = f" after {tries} tries" if tries else ""
                        log.info("camera %s is live%s", self.camera, after, extra={"camera": self.camera})
                        yield CameraChange(self.camera, time, CameraState.LIVE)
                        is_live = has_been_live = True
                        tries = 0
                    yield Frame(self.camera, time, picture)
                    if self._stopping.is_set():
                        return
            except SourceError as error:
                if self._must_open and not has_been_live:
                    raise
                reason, trouble = str(error), error.trouble
            if is_live or tries == 0:
                text = "camera %s is offline, trying again: %s"
                log.warning(text, self.camera, reason, extra={"camera": self.camera})
                yield CameraChange(self.camera, self._clock.now(), CameraState.OFFLINE, reason, trouble)
            tries += 1
            self._stopping.wait(_wait_before(tries, trouble))


def _wait_before(tries: int, trouble: Trouble | None) -> float:
    wait: float = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    if trouble is Trouble.LOGIN_REFUSED:
        wait = REFUSED_WAIT
    return wait * random.uniform(1, 1.5)
