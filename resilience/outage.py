"""An outage in the log: one line when it begins, one line when it ends, and a count in between."""

from __future__ import annotations

import logging
from collections.abc import Mapping


class Outage:
    """Logs the first failure and the recovery of one thing that may fail again and again. One thread at a time uses it.

    attempt:      ok   fails    fails   fails   ok
    the log says: ~    warning  ~       ~       info, 3 failures
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
        """Failures, or what they lost, since the outage began."""
        self.is_ongoing = False
        self._log = log
        self._name = name
        self._begins = begins
        self._ends = ends
        self._logs_each_reason = logs_each_reason
        self._extra = extra
        self._reason = ""

    def record_failure(self, reason: object, *, count: int = 1) -> None:
        """Count one failure, or `count` things that it lost."""
        is_news = not self.is_ongoing or (self._logs_each_reason and str(reason) != self._reason)
        self.is_ongoing, self._reason = True, str(reason)
        self.count += count
        if is_news:
            self._log.warning(self._begins, self._name, self._reason, extra=self._extra)

    def record_success(self) -> None:
        """End the outage, if there is one."""
        if self.is_ongoing and self._ends:
            self._log.info(self._ends, self._name, self.count, extra=self._extra)
        self.is_ongoing, self.count, self._reason = False, 0, ""
