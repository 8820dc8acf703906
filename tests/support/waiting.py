"""Waits for another process or thread, and finds ports for it."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import pytest

DEADLINE = 15.0
"""The longest wait, in seconds."""


class Eventually(Protocol):
    """Polls until the condition holds. The test fails after some seconds."""

    def __call__(self, condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None: ...


def wait_until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for: {what}")
        time.sleep(0.01)


def new_free_port() -> int:
    """Returns a random port below those that the system gives to connections. No client or parallel test takes
    it before it is used."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def require(is_there: bool, reason: str) -> None:
    """Skips the test if something is not installed. In CI, where everything is installed, the test fails."""
    if is_there:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    return wait_until


@pytest.fixture
def free_port() -> int:
    return new_free_port()


@pytest.fixture(scope="session")
def new_port() -> Callable[[], int]:
    """`new_port()` returns another free port at each call."""
    return new_free_port


@pytest.fixture(scope="session")
def need() -> Callable[[bool, str], None]:
    return require
