"""The diary with the threads that wait for its disk, so that forecasts do not."""

from __future__ import annotations

import logging
from pathlib import Path

from harstream.forecast.client.background import Background, Workers
from harstream.forecast.client.diary import Diary
from harstream.resilience.bounded_work import finishes_within

log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 2.0
"""Seconds for which the end waits for a thread that reads the diary."""


class DiaryThreads:
    """Opens the diary, starts the threads, and ends without those that hang. One thread uses it."""

    def __init__(self, path: Path) -> None:
        self.diary = Diary(path)
        self._learning, self._looking = Background("learner"), Background("look ahead")
        self._writing = Background(f"the diary {path}", settle=self.diary.retry)
        self.workers = Workers(self._learning, self._looking, self._writing)

    def start(self) -> None:
        """Open or create the diary. Raises SinkError."""
        self.diary.start()
        for each in (self._learning, self._looking, self._writing):
            each.start()

    def check(self) -> None:
        """Log when the disk hangs and when it works again. Call it about once a second."""
        self._writing.check()

    def close(self) -> bool:
        """Write what waits, and close the diary. Return False if its disk hangs; what waits is then lost."""
        is_written = self._writing.close()
        if is_written and not finishes_within(CLOSE_TIMEOUT, self.diary.close):
            log.warning("%s could not be closed within %g s: check the disk", self.diary.path, CLOSE_TIMEOUT)
        return is_written
