"""The command runs as an operator types it, in a folder of its own, or in the test's process."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any, Protocol

import pytest
import yaml

from harstream.__main__ import main

HARSTREAM = Path(sys.executable).with_name("harstream")
LOG_LINE = re.compile(r"\d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR)")
SECRET = "geheim"
"""The password in all tests. The command must never print it."""


class Configure(Protocol):
    """Writes config.yaml in the folder of the command. Only the given values differ from a quiet configuration."""

    def __call__(self, **values: Any) -> None: ...


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


@pytest.fixture
def configure(tmp_path: Path, new_port: Callable[[], int]) -> Configure:
    def write(**values: Any) -> None:
        mqtt = {"embedded_port": new_port()} | values.pop("mqtt", {})
        web = {"enabled": False, "port": new_port()} | values.pop("web", {})
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(values | {"mqtt": mqtt, "web": web}))

    write()
    return write


def harstream_here(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which has imported TensorFlow already: a new one needs six seconds for that."""
    typed, stdout, stderr = ["harstream", *map(str, arguments)], io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(stdout), redirect_stderr(stderr):
        patched.chdir(cwd)
        patched.setenv("COLUMNS", "200")
        patched.setenv("NO_COLOR", "1")
        patched.setattr(sys, "argv", typed)
        with pytest.raises(SystemExit) as ended:
            main()
    return subprocess.CompletedProcess(typed, int(ended.value.code or 0), stdout.getvalue(), stderr.getvalue())


class Running:
    """A running command. `stdout` and `stderr` hold the lines that it has written so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._process = subprocess.Popen(
            [str(HARSTREAM), *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        pipes = (self._process.stdout, self.stdout), (self._process.stderr, self.stderr)
        self._threads = [threading.Thread(target=_collect, args=pair) for pair in pipes]
        for thread in self._threads:
            thread.start()

    @property
    def output(self) -> str:
        return "\n".join([*self.stdout, *self.stderr])

    @property
    def complaints(self) -> list[str]:
        """The lines on stderr without those of the log."""
        return [line for line in self.stderr if not LOG_LINE.match(line)]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Returns the exit code, or fails after `seconds`. The output is then complete and contains no password."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"still running after {seconds} s:\n{self.output}")
        for thread in self._threads:
            thread.join()
        assert SECRET not in self.output
        assert "Traceback" not in self.output
        return code

    def end(self) -> None:
        if not self.is_over():
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()


def _collect(pipe: IO[str], lines: list[str]) -> None:
    with pipe:
        lines.extend(line.rstrip("\n") for line in pipe)


class Start(Protocol):
    """`start("run", "--source", "scene")` starts the command in the test's folder. It ends with the test."""

    def __call__(self, *arguments: object) -> Running: ...


class Harstream(Protocol):
    """`harstream("predict", "a.mp4")` runs the command to its end and returns the exit code and the command."""

    def __call__(self, *arguments: object, seconds: float = 40) -> tuple[int, Running]: ...


@pytest.fixture
def start(tmp_path: Path, configure: Configure) -> Iterator[Start]:
    started: list[Running] = []

    def begin(*arguments: object) -> Running:
        started.append(Running(tmp_path, *(str(argument) for argument in arguments)))
        return started[-1]

    yield begin
    for running in started:
        running.end()


@pytest.fixture
def harstream(start: Start) -> Harstream:
    def run(*arguments: object, seconds: float = 40) -> tuple[int, Running]:
        running = start(*arguments)
        return running.wait(seconds), running

    return run


@pytest.fixture(scope="module")
def run_in() -> type[Running]:
    """`run_in(folder, "run", ...)` starts a command that outlives one test. The caller must call `end`."""
    return Running
