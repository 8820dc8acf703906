"""Logs an outage with one line at its start and one line, with a count, at its end."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from time import monotonic

QUIET = 60.0
"""Seconds between two logged outages of what may fail and work again several times a second."""


class Outage:
    """Logs the first failure and the recovery of something that may fail repeatedly. It is not thread-safe.

    attempt:      ok   fails    fails   fails   ok
    log:          ~    warning  ~       ~       info, 3 failures
    """

    def __init__(
        self,
        log: logging.Logger,
        name: object,
        *,
        begins: str,
        ends: str = "",
        logs_each_reason: bool = False,
        quiet: float = 0.0,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """`begins` is formatted with the name and the reason, `ends` with the name and the count.

        An empty `ends` is not logged. With `logs_each_reason`, a reason that differs from the last one is logged, too.
        `quiet`: seconds after a logged start in which no other start is logged. An outage that ends earlier is added to
        the next one's count, and one that lasts longer is logged then. `extra` goes into each record.
        """
        self.count = 0
        """Number of failures, or of lost items, since the last logged end."""
        self.is_ongoing = False
        self._log = log
        self._name = name
        self._begins = begins
        self._ends = ends
        self._logs_each_reason = logs_each_reason
        self._quiet = quiet
        self._extra = extra
        self._reason = ""
        self._logged_at = -math.inf
        """Monotonic time of the last logged start, in seconds."""
        self._is_logged = False
        """Whether the start of this outage is logged."""

    def record_failure(self, reason: object, *, count: int = 1) -> None:
        """Count one failure, or the `count` items that it lost."""
        is_other_reason = self._logs_each_reason and self._is_logged and str(reason) != self._reason
        self.is_ongoing, self._reason = True, str(reason)
        self.count += count
        if not self._is_logged and monotonic() - self._logged_at >= self._quiet:
            self._is_logged, self._logged_at = True, monotonic()
        elif not is_other_reason:
            return
        self._log.warning(self._begins, self._name, self._reason, extra=self._extra)

    def record_success(self) -> None:
        """End the outage if there is one."""
        if self._is_logged:
            if self._ends:
                self._log.info(self._ends, self._name, self.count, extra=self._extra)
            self.count = 0
        self.is_ongoing, self._is_logged, self._reason = False, False, ""

    def close(self, still_failing: str = "") -> None:
        """Log the end of an outage that has not ended, and the count of those that were not logged.

        `still_failing` is formatted with the name and the count. By default, it is the line of the end.
        """
        if self.is_ongoing and still_failing:
            self._log.warning(still_failing, self._name, self.count, extra=self._extra)
        elif self.count and self._ends:
            self._log.info(self._ends, self._name, self.count, extra=self._extra)
        self.is_ongoing, self._is_logged, self.count, self._reason = False, False, 0, ""
