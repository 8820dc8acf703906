"""Reads config.yaml again and applies it to the running service, or restarts the service."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harstream.stream.config.model import Config
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.config_changes import ConfigChanges
from harstream.stream.service.shutdown import Shutdown
from harstream.wire.errors import ControlError


class Reload:
    """Applies one reload at a time. Callable from any thread."""

    def __init__(
        self,
        settings: CameraSettings,
        shutdown: Shutdown,
        read: Callable[[], Config],
        check: Callable[[Config], None],
        has_new_model: Callable[[], bool],
    ) -> None:
        """`read` returns the current content of config.yaml. `check` checks that a service can start with it.

        Both raise HarstreamError. `has_new_model` returns whether the model's files are others than those that run.
        """
        self._settings = settings
        self._shutdown = shutdown
        self._read = read
        self._check = check
        self._has_new_model = has_new_model
        self._reloading = threading.Lock()

    def __call__(self) -> str:
        """Return the changes as text. Raises HarstreamError and then changes nothing."""
        self._settings.wait_until_started()
        with self._reloading:
            before, config = self._settings.config, self._read()
            has_new_model = config.model == before.model and self._has_new_model()
            if config == before and not has_new_model:
                again = self._settings.try_refused_again()
                return f"nothing changed{', logging in again: ' + ', '.join(again) if again else ''}"
            if not has_new_model and not ConfigChanges(before, config).needs_restart:
                changes = str(self._settings.apply_config(config))
                self._settings.try_refused_again()
                return changes
            if before.record:
                raise ControlError(f"a restart would overwrite the recording {before.record}: stop, then start")
            self._check(config)
            self._shutdown.restart()
            return "the service restarts"
