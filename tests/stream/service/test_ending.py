from __future__ import annotations

from harstream.stream.service.ending import Ending
from harstream.stream.service.service import Service


class Stopped(Service):
    def __init__(self) -> None:
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1


def test_a_stop_overrides_restarts_before_and_after_it() -> None:
    service = Stopped()
    ending = Ending(service)
    ending.restart()
    assert ending.is_restart
    ending.stop()
    assert not ending.is_restart
    ending.restart()
    assert not ending.is_restart
    assert service.stops == 3
