from __future__ import annotations

from harstream.stream.service.service import Service
from harstream.stream.service.shutdown import Shutdown


class Stopped(Service):
    def __init__(self) -> None:
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1


def test_a_stop_overrides_restarts_before_and_after_it() -> None:
    service = Stopped()
    shutdown = Shutdown(service)
    shutdown.restart()
    assert shutdown.is_restart
    shutdown.stop()
    assert not shutdown.is_restart
    shutdown.restart()
    assert not shutdown.is_restart
    assert service.stops == 3
