"""Writes events and camera changes to the history at once. A commit takes some hundredths of a millisecond."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

from harstream.models.contract import UNKNOWN
from harstream.mqtt.sqlite_file import file_error, open_database
from harstream.resilience.outage import Outage
from harstream.stream.history import store as history
from harstream.wire.context import Context
from harstream.wire.values import Activity, CameraChange, CameraState, Event, Notice, Warming

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
UPKEEP_PERIOD = 60.0
"""Seconds between two rounds that delete old rows and checkpoint the journal."""
RETRY = 1.0
"""Seconds between two attempts to write while the disk fails."""
BATCH = 200
"""The largest number of entries per write. A full batch takes some milliseconds."""
MAX_WAITING = 50_000
"""The largest number of entries that wait in memory. The oldest are dropped first."""
KILLED = "harstream was killed"


class HistorySink:
    """An EventSink. A separate thread waits for the disk, so that recognition does not.

    While the disk fails, entries wait in memory and are written later. Only a restart in the meantime loses them.
    """

    def __init__(
        self,
        path: Path,
        context: Context,
        *,
        days: float,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`days`: age after which activities and changes are deleted."""
        self.undelivered: list[Notice] = []
        """Notices that a killed run may not have delivered to all event sinks. Set by `start`.

        Some sinks may have received some of them. This sink must receive them last.
        """
        self._path = path
        self.context = context
        """Any thread may replace it between two notices."""
        self._age_limit = days * DAY
        self._wall_clock = wall_clock
        self._clock = clock
        self._database: sqlite3.Connection | None = None
        self._waiting: dict[str, history.PastActivity | CameraChange] = {}
        self._is_in_doubt = False
        self._last_changes: dict[str, CameraChange] = {}
        self._failed_at = 0.0
        self._outage = Outage(
            log,
            path,
            begins="the history %s fails (%s): new entries are kept in memory, and a restart would lose them",
            ends="the history %s can be written again; %d entries were lost",
        )
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open or create the file, and delete old rows. Raises SinkError.

        It sets a broken file aside with a warning.
        """
        self._database, undelivered = open_database(
            self._path, history.connect, "the history", history.undelivered, self._wall_clock
        )
        self.undelivered = _notices(undelivered, self.context)
        try:
            history.prune(self._database, self._wall_clock() - self._age_limit)
        except sqlite3.Error as error:
            self._database.close()
            raise file_error(self._path, "the history", str(error)) from error
        self._thread = threading.Thread(target=self._maintain, name="history")
        self._thread.start()

    def handle(self, notice: Notice) -> None:
        for event in notice.events:
            self._waiting[event.id] = history.PastActivity(
                event,
                self.context.areas.get(event.camera),
                self.context.contract.name,
                self.context.contract.version,
            )
        if notice.change is not None and self._is_new(notice.change):
            self._last_changes[notice.change.camera] = notice.change
            self._waiting[f"{notice.change.camera} {notice.change.time}"] = notice.change
        # The next notice comes after all sinks have received the last one, so its events are no longer in doubt.
        is_something_to_write = self._waiting or self._is_in_doubt
        if is_something_to_write and (not self._outage.is_ongoing or self._clock() - self._failed_at >= RETRY):
            self._write_some()

    def close(self) -> None:
        if self._database is None:
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        while (self._waiting or self._is_in_doubt) and self._write_some():
            pass
        if self._waiting:
            log.warning(
                "%d entries of the history %s are lost: it could not be written", len(self._waiting), self._path
            )
        self._database.close()
        self._database = None

    def _is_new(self, change: CameraChange) -> bool:
        last = self._last_changes.get(change.camera)
        is_repeated = last is not None and (last.state, last.reason) == (change.state, change.reason)
        return change.state is not CameraState.CONNECTING and not is_repeated

    def _write_some(self) -> bool:
        """Write the oldest waiting entries. Return False if the disk fails."""
        assert self._database is not None
        keys = list(islice(self._waiting, BATCH))
        try:
            history.write(self._database, (self._waiting[key] for key in keys))
        except sqlite3.Error as error:
            self._record_failure(error)
            return False
        self._is_in_doubt = bool(keys)
        for key in keys:
            del self._waiting[key]
        if not self._waiting:
            self._outage.record_success()
        return True

    def _record_failure(self, error: sqlite3.Error) -> None:
        self._failed_at = self._clock()
        lost = max(0, len(self._waiting) - MAX_WAITING)
        for key in list(islice(self._waiting, lost)):
            del self._waiting[key]
        self._outage.record_failure(error, count=lost)

    def _maintain(self) -> None:
        """Delete old rows and checkpoint, on its own connection, so that writers do not wait."""
        outage = Outage(
            log,
            self._path,
            begins="the history %s cannot be cleaned up: %s; still retrying",
            ends="the history %s can be cleaned up again after %d failures",
        )
        while not self._closing.wait(UPKEEP_PERIOD):
            try:
                with closing(sqlite3.connect(self._path, timeout=history.LOCK_TIMEOUT)) as database:
                    history.prune(database, self._wall_clock() - self._age_limit)
                    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
                outage.record_success()
            except sqlite3.Error as error:
                outage.record_failure(error)


def _notices(undelivered: list[Event], context: Context) -> list[Notice]:
    """Return one notice per camera with its events. The camera has been offline since the last event."""
    cameras: dict[str, list[Event]] = {}
    for event in undelivered:
        cameras.setdefault(event.camera, []).append(event)
    return [_notice(camera, events, context) for camera, events in cameras.items()]


def _notice(camera: str, events: list[Event], context: Context) -> Notice:
    time = events[-1].updated_at
    return Notice(
        camera=camera,
        time=time,
        activity=Activity(UNKNOWN, since=time, confidence=0.0),
        warming=Warming(0, context.contract.frames),
        events=tuple(events),
        change=CameraChange(camera, time, CameraState.OFFLINE, KILLED),
    )
