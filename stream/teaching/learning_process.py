"""Runs `harstream teach fit` beside a running service, so that its memory and failures stay out of the service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.config.writer import config_text
from harstream.stream.teaching.taught_folder import taught_on
from harstream.wire.errors import ControlError

COMMAND = (sys.executable, "-m", "harstream", "teach", "fit", "--steps")
KEYS = ("activities", "cameras", "device", "model", "state", "view")
"""The keys that the command needs."""
PRIORITY = 10
"""Unix's niceness of the process: the service comes first."""
LONGEST_END = 5.0
"""Seconds in which the process removes what it has written so far."""


class LearningProcess:
    """Learns once at a time. Callable from any thread."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self.step: str | None = None
        """What it does now, in a few words. None if it does not run."""
        self.failure = ""
        """Why it ended without a result, in one line. Empty if it did not."""

    def start(self, config: Config, camera: str | None, out: Path, learned: Callable[[], None]) -> None:
        """Learn from all examples, as `camera` sees them, and write the taught model to `out`.

        `learned` is called on a thread when `out` is complete. Raises ControlError while it learns already.
        """
        with self._starting:
            if self.step is not None:
                raise ControlError("expected to learn once at a time, and it learns already")
            self._join()
            self.step, self.failure, self._is_stopping = "starting", "", False
            self._thread = threading.Thread(target=self._run, args=(config, camera, out, learned), name="learning")
            self._thread.start()

    def stop(self) -> None:
        """End the process soon. It leaves nothing."""
        self._is_stopping = True
        if (process := self._process) is not None:
            _interrupt(process)

    def close(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(LONGEST_END)
        if (process := self._process) is not None:
            process.kill()
        self._join()

    def _run(self, config: Config, camera: str | None, out: Path, learned: Callable[[], None]) -> None:
        try:
            with TemporaryDirectory() as folder:
                file, messages = Path(folder) / "config.yaml", Path(folder) / "messages"
                file.write_text(learning_config(config), encoding="utf-8")
                options = ["--config", str(file), "--out", str(out), *(["--camera", camera] if camera else [])]
                code = self._wait([*self._command, *options], messages)
                self.failure = "" if code == 0 or self._is_stopping else _failure(code, messages)
            if code == 0:
                learned()
        except OSError as error:
            self.failure = f"the learning process cannot run: {error}"
        finally:
            self.step = None

    def _wait(self, command: Sequence[str], messages: Path) -> int:
        with (
            messages.open("w", encoding="utf-8") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8") as process,
        ):
            self._process = process
            with suppress(OSError, AttributeError):  # Windows has no niceness
                os.setpriority(os.PRIO_PROCESS, process.pid, PRIORITY)
            if self._is_stopping:
                _interrupt(process)
            assert process.stdout
            for line in process.stdout:
                self.step = line.strip()
        self._process = None
        return process.returncode

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def learning_config(config: Config) -> str:
    """Return the text of a config.yaml with what the command needs of `config`. It has no address and no secret."""
    cameras = tuple(CameraConfig(name=each.name, source="0", view=each.view, crop=each.crop) for each in config.cameras)
    base = taught_on(config.model) or config.model
    return config_text(config.model_copy(update={"model": base, "cameras": cameras}).model_dump(include=set(KEYS)))


def _failure(code: int, messages: Path) -> str:
    if code < 0:
        return f"the learning process was killed by {signal.Signals(-code).name}, perhaps because memory was short"
    lines = messages.read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line.removeprefix("harstream: ") for line in lines if line.startswith("harstream: ")]
    return said[-1] if said else f"the learning process failed with code {code}: see the log of `harstream teach fit`"


def _interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)  # Windows can only terminate
