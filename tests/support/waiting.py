"""Wait for what another process or thread does, and find ports for it."""

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
"""Seconds."""


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
    """A random port below those that the system gives to connections: neither a client nor a test beside this one takes
    it before it is used."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def require(is_there: bool, reason: str) -> None:
    """Skip the test where something is not installed. In CI, where everything is installed, the test fails."""
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
    """Each call gives another free port."""
    return new_free_port


@pytest.fixture(scope="session")
def need() -> Callable[[bool, str], None]:
    return require
