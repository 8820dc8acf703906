"""Logs an outage with one line at its start and one line, with a count, at its end."""

from __future__ import annotations

import logging
from collections.abc import Mapping


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
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """`begins` is formatted with the name and the reason, `ends` with the name and the count.

        An empty `ends` is not logged. With `logs_each_reason`, a reason that differs from the last one is logged, too.
        `extra` goes into each record.
        """
        self.count = 0
        """Number of failures, or of lost items, since the start of the outage."""
        self.is_ongoing = False
        self._log = log
        self._name = name
        self._begins = begins
        self._ends = ends
        self._logs_each_reason = logs_each_reason
        self._extra = extra
        self._reason = ""

    def record_failure(self, reason: object, *, count: int = 1) -> None:
        """Count one failure, or the `count` items that it lost."""
        is_news = not self.is_ongoing or (self._logs_each_reason and str(reason) != self._reason)
        self.is_ongoing, self._reason = True, str(reason)
        self.count += count
        if is_news:
            self._log.warning(self._begins, self._name, self._reason, extra=self._extra)

    def record_success(self) -> None:
        """End the outage if there is one."""
        if self.is_ongoing and self._ends:
            self._log.info(self._ends, self._name, self.count, extra=self._extra)
        self.is_ongoing, self.count, self._reason = False, 0, ""

    def close(self, still_failing: str) -> None:
        """Log the end of an outage that has not ended. `still_failing` is formatted with the name and the count."""
        if self.is_ongoing:
            self._log.warning(still_failing, self._name, self.count, extra=self._extra)
        self.is_ongoing, self.count, self._reason = False, 0, ""
