"""More cameras than the machine can carry: said once when it begins, and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic

log = logging.getLogger(__name__)

PERIOD = 10.0
"""Seconds over which dropped frames are counted."""
BEARABLE = 0.02
"""Share of a camera's frames that may be dropped without a word."""


class Overload:
    """Looks at how many frames of each camera arrived and how many were dropped, all in all."""

    def __init__(
        self, arrived: Mapping[str, int], dropped: Mapping[str, int], now: Callable[[], float] = monotonic
    ) -> None:
        """`now` in seconds, from any start. The counts are those of another thread: they only grow."""
        self._arrived, self._dropped, self._now = arrived, dropped, now
        self._next = now() + PERIOD
        self._before: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._is_overloaded = False

    def look(self) -> None:
        """As often as one likes; logs at most once a period."""
        if self._now() < self._next:
            return
        self._next = self._now() + PERIOD
        arrived, dropped = dict(self._arrived), dict(self._dropped)
        shares = {
            camera: (dropped.get(camera, 0) - self._before[1].get(camera, 0)) / fresh
            for camera, count in arrived.items()
            if (fresh := count - self._before[0].get(camera, 0))
        }
        self._before = arrived, dropped
        late = sorted(camera for camera, share in shares.items() if share > BEARABLE)
        if late and not self._is_overloaded:
            log.warning(
                "this machine cannot keep up: %.0f %% of the frames of %s are dropped, the oldest first. A lighter "
                "model (--model lrcn), a larger stride in config.yaml, fewer cameras or a GPU would help",
                100 * max(shares.values()),
                _named(late),
            )
        elif self._is_overloaded and not late:
            log.info("this machine keeps up again; %d frames were dropped so far", sum(dropped.values()))
        self._is_overloaded = bool(late)


def _named(cameras: list[str]) -> str:
    shown = ", ".join(cameras[:3])
    return shown if len(cameras) <= 3 else f"{shown} and {len(cameras) - 3} more cameras"
