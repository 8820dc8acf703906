"""The fixtures for all tests are in `support`."""

from __future__ import annotations

import os
import signal

pytest_plugins = [
    "tests.support.waiting",
    "tests.support.clock",
    "tests.support.broker",
    "tests.support.certificates",
    "tests.support.fake_broker",
    "tests.support.cameras.rtsp_camera",
    "tests.support.cameras.onvif_camera",
    "tests.support.browser",
    "tests.support.home_assistant",
    "tests.support.disk",
    "tests.support.values",
    "tests.support.command",
    "tests.support.films",
    "tests.support.light_model",
    "tests.support.row_model",
    "tests.support.causal_model",
    "tests.support.file_server",
    "tests.support.lessons",
]


def pytest_configure() -> None:
    """Restores the signals that a program in the background or under nohup ignores, so that its children get them.

    No command that a test runs searches cameras outside this machine.
    """
    os.environ["HARSTREAM_DISCOVERY"] = "none"
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Returns how many tests `-n auto` runs at a time: one more than there are cores, because many wait."""
    return (os.cpu_count() or 1) + 1
