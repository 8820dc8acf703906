"""Takes what config.yaml says now, in the running service or by a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harstream.stream.config.model import Config
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.config_changes import ConfigChanges
from harstream.stream.service.ending import Ending
from harstream.wire.errors import ControlError


class Reload:
    """May be called from any thread. One reload follows the other."""

    def __init__(
        self,
        settings: CameraSettings,
        ending: Ending,
        read: Callable[[], Config],
        check: Callable[[Config], None],
    ) -> None:
        """`read` returns the configuration as it is now. `check` raises HarstreamError for a configuration with which
        no service could start. Both raise HarstreamError."""
        self._settings = settings
        self._ending = ending
        self._read = read
        self._check = check
        self._reloading = threading.Lock()

    def __call__(self) -> str:
        """Return what changed, for a person. Raises HarstreamError; then nothing changes."""
        self._settings.wait_until_started()
        with self._reloading:
            before, config = self._settings.config, self._read()
            if config == before:
                return "nothing changed"
            if not ConfigChanges(before, config).need_restart:
                return str(self._settings.take(config))
            if before.record:
                raise ControlError(f"{before.record} is being recorded and would be overwritten: stop, then start")
            self._check(config)
            self._ending.restart()
            return "the service restarts"
