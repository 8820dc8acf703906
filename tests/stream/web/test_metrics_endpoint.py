"""`/metrics`, on a real server."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from harstream.stream.web.metrics_endpoint import METRICS_FORMAT
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView


def got(metrics: Callable[[], bytes] | None) -> httpx.Response:
    view = LiveView(LIGHT, metrics=metrics)
    view.start()
    try:
        return httpx.get(view.url + "metrics")
    finally:
        view.close()


def test_metrics_come_in_the_format_of_prometheus() -> None:
    text = b"harstream_frames_total 3.0\n"
    answer = got(lambda: text)
    assert (answer.status_code, answer.content) == (200, text)
    assert answer.headers["content-type"] == METRICS_FORMAT


def test_without_metrics_there_is_no_such_page() -> None:
    answer = got(None)
    assert answer.status_code == 404
    assert answer.json()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_metrics_can_only_be_read(method: str) -> None:
    view = LiveView(LIGHT, metrics=lambda: b"")
    view.start()
    try:
        assert httpx.request(method, view.url + "metrics").status_code == 405
    finally:
        view.close()
