"""Fixtures for all tests: see `support`."""

from __future__ import annotations

import signal

pytest_plugins = [
    "tests.support.waiting",
    "tests.support.clock",
    "tests.support.broker",
    "tests.support.camera",
    "tests.support.browser",
    "tests.support.disk",
    "tests.support.values",
    "tests.support.command",
    "tests.support.films",
    "tests.support.light_model",
]


def pytest_configure() -> None:
    """A program that is started in the background or with nohup ignores these signals, and so would its children."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
