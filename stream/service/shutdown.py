"""Stops a run for good, or for a restart with another configuration."""

from __future__ import annotations

from harstream.stream.service.service import Service


class Shutdown:
    """Stops the service and records whether it restarts. Callable from any thread and from a signal handler."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._is_for_good = False
        self.is_restart = False
        """Whether the service is to start again with another configuration."""

    def stop(self) -> None:
        """Stop for good. This overrides every earlier or later restart."""
        self._is_for_good, self.is_restart = True, False
        self._service.stop()

    def restart(self) -> None:
        """Stop, and start again unless `stop` is called, too."""
        self.is_restart = not self._is_for_good
        self._service.stop()
