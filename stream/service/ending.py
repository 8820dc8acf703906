"""How a run ends: for good, or to restart with another configuration."""

from __future__ import annotations

from harstream.stream.service.service import Service


class Ending:
    """Stops the service and remembers why. Every method may be called from any thread, or from a signal handler."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._is_for_good = False
        self.is_restart = False
        """Is the service to start again with another configuration?"""

    def stop(self) -> None:
        """Stop for good. This wins over every restart, earlier or later."""
        self._is_for_good, self.is_restart = True, False
        self._service.stop()

    def restart(self) -> None:
        """Stop in order to start again."""
        self.is_restart = not self._is_for_good
        self._service.stop()
