"""Writes events and camera changes to the history at once. Only a background thread waits for its disk."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from harstream.models.contract import UNKNOWN
from harstream.mqtt.sqlite_file import file_error, keep_reserve, open_database
from harstream.resilience.bounded_work import finishes_within
from harstream.resilience.failing_disk import is_failing_disk
from harstream.resilience.outage import Outage
from harstream.stream.history import store as history
from harstream.stream.history.migrations import migrate
from harstream.wire.context import Context
from harstream.wire.errors import FailingDisk, SinkError
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
CLOSE_TIMEOUT = 1.5
"""Longest time to write what waits and to close the file, in seconds."""
KILLED = "harstream was killed"


class HistorySink:
    """An EventSink that may wait for the disk. One thread calls `handle` and `settle`.

    On a full disk, some hundred entries still fit into the file's reserve. Then entries wait in memory and are written
    later. Only a restart in the meantime loses those.
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
        self._in_doubt: tuple[str, ...] = ()
        """The ids of the activities of the last write."""
        self._last_changes: dict[str, CameraChange] = {}
        self._failed_at = 0.0
        self._outage = Outage(
            log,
            path,
            begins="the history %s fails (%s): new entries are kept in memory, and a restart would lose them",
            ends="the history %s can be written again; %d entries were lost",
        )
        self._cleaned_at = clock()
        self._cleaning_outage = Outage(
            log,
            path,
            begins="the history %s cannot be cleaned up: %s; still retrying",
            ends="the history %s can be cleaned up again after %d failures",
        )
        self._is_started = False
        self._working = threading.Lock()

    def start(self) -> None:
        """Open or create the file, and delete old rows. Raises SinkError.

        It sets a broken file aside with a warning. While the disk fails, entries wait in memory, and `settle` opens the
        file later.
        """
        self._is_started = True
        try:
            self.undelivered = self._open()
        except FailingDisk as error:
            self._record_failure(error.__cause__)

    def handle(self, notice: Notice) -> None:
        with self._working:
            self._take(notice)
            # The next notice comes after the last one has reached the outbox, so its events are no longer in doubt.
            self._write_if_due()

    def settle(self) -> list[Notice]:
        """Write what waits, and delete old rows now and then. Call it about once a second.

        Return what a killed run may not have delivered, if the file could not be opened before.
        """
        with self._working:
            if self._database is None and self._is_started and self._is_due:
                try:
                    return self._open()
                except SinkError as error:
                    self._record_failure(error)
            self._write_if_due()
            if self._database is not None and self._clock() - self._cleaned_at >= UPKEEP_PERIOD:
                self._clean_up(self._database)
            return []

    def close(self) -> None:
        """Write what waits, and close the file. It gives up if the disk is too slow, or hangs."""
        if not finishes_within(CLOSE_TIMEOUT, self._close):
            text = "the history %s could not be closed within %g s, so its last entries may be lost: check the disk"
            log.warning(text, self._path, CLOSE_TIMEOUT)

    def _open(self) -> list[Notice]:
        """Open or create the file. Return what a killed run may not have delivered. Raises SinkError."""
        database, undelivered = open_database(
            self._path, history.connect, migrate, "the history", history.undelivered, self._wall_clock
        )
        try:
            history.prune(database, self._wall_clock() - self._age_limit)
        except sqlite3.Error as error:
            failure = file_error(self._path, "the history", error)
            if not isinstance(failure, FailingDisk):
                database.close()
                raise failure from error
            self._cleaning_outage.record_failure(error)
        self._database = database
        self._keep_reserve(database)
        if not self._waiting:
            self._outage.record_success()
        return _notices(undelivered, self.context)

    def _take(self, notice: Notice) -> None:
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

    @property
    def _is_due(self) -> bool:
        """Whether the disk works, or may be tried again."""
        return not self._outage.is_ongoing or self._clock() - self._failed_at >= RETRY

    def _write_if_due(self) -> None:
        if (self._waiting or self._in_doubt) and self._is_due:
            self._write_some()

    def _keep_reserve(self, database: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error, OSError):  # a full disk is logged with the first entry that does not fit
            keep_reserve(database, self._path)

    def _clean_up(self, database: sqlite3.Connection) -> None:
        """Delete old rows, and write the journal into the file."""
        self._cleaned_at = self._clock()
        try:
            history.prune(database, self._wall_clock() - self._age_limit)
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._keep_reserve(database)
            self._cleaning_outage.record_success()
        except sqlite3.Error as error:
            self._cleaning_outage.record_failure(error)

    def _close(self) -> None:
        with self._working:
            while (self._waiting or self._in_doubt) and self._write_some():
                pass
            if self._waiting:
                log.warning(
                    "%d entries of the history %s are lost: it could not be written", len(self._waiting), self._path
                )
                self._waiting.clear()
            self._is_started = False
            if self._database is not None:
                self._database.close()
                self._database = None

    def _is_new(self, change: CameraChange) -> bool:
        last = self._last_changes.get(change.camera)
        is_repeated = last is not None and (last.state, last.reason) == (change.state, change.reason)
        return change.state is not CameraState.CONNECTING and not is_repeated

    def _write_some(self) -> bool:
        """Write the oldest waiting entries. Return False if the disk fails."""
        if self._database is None:
            return False
        keys = list(islice(self._waiting, BATCH))
        entries = [self._waiting[key] for key in keys]
        try:
            _write(self._database, entries, self._in_doubt)
        except sqlite3.Error as error:
            self._record_failure(error)
            return False
        self._in_doubt = tuple(each.event.id for each in entries if isinstance(each, history.PastActivity))
        for key in keys:
            del self._waiting[key]
        if not self._waiting:
            self._outage.record_success()
        return True

    def _record_failure(self, error: BaseException | None) -> None:
        self._failed_at = self._clock()
        lost = max(0, len(self._waiting) - MAX_WAITING)
        for key in list(islice(self._waiting, lost)):
            del self._waiting[key]
        self._outage.record_failure(error, count=lost)


def _write(
    database: sqlite3.Connection, entries: Sequence[history.PastActivity | CameraChange], received: Sequence[str]
) -> None:
    """Write all entries or none. On a full disk, this may need the journal's space first. Raises sqlite3.Error."""
    try:
        history.write(database, entries, received)
    except sqlite3.Error as error:
        if not is_failing_disk(error):
            raise
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        history.write(database, entries, received)


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
