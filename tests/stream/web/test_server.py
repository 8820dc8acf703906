"""The web server opens, fails and closes."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from harstream.models.transform import BgrPicture
from harstream.stream.config.web import WebConfig
from harstream.stream.history.sink import HistorySink
from harstream.stream.web.app import ServiceFacts, Site
from harstream.stream.web.server import WebServer
from harstream.stream.web.view_state import ViewState
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.values import EndReason, Frame, Step
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView
from tests.support.values import MakeEvent, MakeNotice
from tests.support.waiting import Eventually


def test_a_server_that_was_not_started_opens_nothing() -> None:
    view = LiveView(LIGHT, port=1)
    assert view.address == ("127.0.0.1", 1)
    view.close()


def test_a_server_answers_between_start_and_close() -> None:
    view = LiveView(LIGHT)
    view.start()
    assert view.address[1] > 0
    assert httpx.get(view.url).status_code == 200
    view.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(view.address)
    view.close()


def test_a_port_in_use_gives_a_one_line_error() -> None:
    view = LiveView(LIGHT)
    view.start()
    port = view.address[1]
    try:
        with pytest.raises(SinkError) as caught:
            LiveView(LIGHT, port=port).start()
    finally:
        view.close()
    (line,) = str(caught.value).splitlines()
    assert all(part in line for part in (f"127.0.0.1:{port}", f"--port {port + 1}", "web.port", "in use")), line


def test_close_takes_less_than_two_seconds_with_viewers_connected(eventually: Eventually) -> None:
    threads = threading.active_count()
    view = LiveView(LIGHT)
    view.start()
    host, port = view.address
    with connect(f"ws://{host}:{port}/live") as client:
        client.recv(timeout=5)
        began = time.monotonic()
        view.close()
        assert time.monotonic() - began < 2
    eventually(lambda: threading.active_count() == threads, "the end of the server's threads")


def test_an_error_of_the_server_is_raised_by_show(make_notice: MakeNotice, eventually: Eventually) -> None:
    def broken(_: Frame) -> bytes:
        raise RuntimeError("no encoder")

    view = LiveView(LIGHT, encode=broken)
    step = Step(make_notice(), Frame("hall", 1.0, BgrPicture(np.zeros((6, 8, 3), np.uint8))))

    def has_failed() -> bool:
        try:
            view.show(step)
        except SinkError as error:
            return "no encoder" in str(error)
        return False

    view.start()
    try:
        with connect(f"ws://127.0.0.1:{view.address[1]}/live") as client:
            client.recv(timeout=5)
            eventually(has_failed, "the server's error")
    finally:
        view.close()


def test_a_history_that_cannot_be_read_is_an_error_of_the_start(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    file.write_text("no database, but long enough to be looked at as one" * 100)
    with pytest.raises(SinkError):
        LiveView(LIGHT, history=file).start()


def test_the_page_starts_with_the_last_activities_and_ends_those_that_a_killed_run_left_open(
    tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = HistorySink(tmp_path / "history.sqlite", context, days=36_500)
    sink.start()
    sink.handle(make_notice(make_event(id="A"), make_event(id="B", started_at=1_700_000_005.0)))
    sink.close()
    view = ViewState(["hall"])
    about = ServiceFacts(LIGHT, "0.1.0", "CPU")
    server = WebServer(Site(about, view, WebConfig(port=0), history=tmp_path / "history.sqlite"))
    server.start()
    try:
        assert [(event.id, event.end_reason) for event in view.events()] == [
            ("A", EndReason.SHUTDOWN), ("B", EndReason.SHUTDOWN),
        ]  # fmt: skip
    finally:
        server.close()
