"""Learns on another thread, so that observations never wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Generic, TypeVar

from harstream.forecast.client.background import Workers
from harstream.forecast.client.learned import HORIZONS, Learned
from harstream.forecast.predictors.hmm import PART, Tables
from harstream.resilience.outage import Outage

log = logging.getLogger(__name__)

REFIT_PERIOD = 6 * 3600.0
"""Seconds between two fits to the diary."""
FIRST_REFITS, REFIT_SHARE = 5, 0.2
"""It also fits after so many new activities, and after this share of those in the diary, whichever is more."""
RETRY_AFTER = 300.0
"""Seconds until failed work is tried again."""
_Result = TypeVar("_Result")


class Learner:
    """Has what was learned last, and learns again when the diary has grown. Not thread-safe.

    The long work runs on the workers. Until it is complete, and also if it fails, the earlier result stays in use.
    """

    def __init__(self, learn: Callable[[float], Learned], workers: Workers, learned: Learned) -> None:
        """`learn` takes a time in seconds since the epoch. `learned`: its first result."""
        self._learn = learn
        self._fits = _Work[Learned](workers.learning, "learning from the diary")
        self._looks = _Work[Tables](workers.looking, "looking ahead")
        self._new, self._counted = 0, 0
        """New activities since the diary was read for the current result, and for the coming one."""
        self._fitted_at = learned.past.now
        self.learned = learned

    def add(self, activities: int) -> None:
        """Count activities that are new in the diary."""
        self._new += activities

    def has_looked_ahead(self, time: float) -> bool:
        """Return whether the tables for forecasts at a time are there. They always are, unless the clock has jumped."""
        return self.learned.predictors.hmm.has_tables(time, HORIZONS)

    def advance(self, now: float) -> None:
        """Take what is complete, and begin what is due. It never waits for the workers."""
        self._take()
        if self._fits.is_idle(now) and self._is_fit_due(now):
            self._counted = self._new
            self._fits.begin(partial(self._learn, now), now)
        hmm = self.learned.predictors.hmm
        for time in (now, now + PART):
            if self._looks.is_idle(now) and not hmm.has_tables(time, HORIZONS):
                self._looks.begin(partial(hmm.tables_at, time, HORIZONS), now)
        self._take()

    def _take(self) -> None:
        if (tables := self._looks.take()) is not None:
            self.learned.predictors.hmm.keep(tables)
        if (learned := self._fits.take()) is not None:
            self._looks.drop()  # it looks ahead with what was learned before
            self.learned, self._fitted_at = learned, learned.past.now
            self._new -= self._counted

    def _is_fit_due(self, now: float) -> bool:
        """A diary of a few activities grows so fast that it soon says more."""
        is_long_ago = abs(now - self._fitted_at) > REFIT_PERIOD
        return is_long_ago or self._new >= max(FIRST_REFITS, REFIT_SHARE * len(self.learned.past.course))


class _Work(Generic[_Result]):
    """One piece of work at a time. A failure is logged in one line."""

    def __init__(self, executor: Executor, name: str) -> None:
        """`name`: of the work, for the log."""
        self._executor = executor
        self._future: Future[_Result] | None = None
        self._began_at = self._failed_at = float("-inf")
        begins = "%s fails, so forecasts follow from what was learned before: %s"
        self._outage = Outage(log, name, begins=begins, ends="%s works again; it had failed %d times")

    def is_idle(self, now: float) -> bool:
        """Return whether work may begin. After a failure, it waits some minutes."""
        return self._future is None and abs(now - self._failed_at) >= RETRY_AFTER

    def begin(self, work: Callable[[], _Result], now: float) -> None:
        self._future, self._began_at = self._executor.submit(work), now

    def take(self) -> _Result | None:
        """Return the result, once. None while there is none."""
        if self._future is None or not self._future.done():
            return None
        future, self._future = self._future, None
        if (error := future.exception()) is not None:
            self._failed_at = self._began_at
            self._outage.record_failure(repr(error))
            return None
        self._outage.record_success()
        return future.result()

    def drop(self) -> None:
        """Forget the work that goes on."""
        self._future = None
