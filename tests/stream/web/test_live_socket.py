"""The WebSocket of an open page, on a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.wire.values import Frame, Step
from tests.support.live_view import LiveView
from tests.support.values import MakeNotice
from tests.support.waiting import Eventually

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("JumpRope", "PushUps"))


class Encoder:
    """Encodes each frame as its time, and keeps the times."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, frame: Frame) -> bytes:
        self.times.append(frame.time)
        return str(frame.time).encode()


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def view(encoder: Encoder) -> Iterator[LiveView]:
    view = LiveView(CONTRACT, encode=encoder)
    view.start()
    yield view
    view.close()


def opened(view: LiveView, **options: Any) -> Connection:
    host, port = view.address
    return connect(f"ws://{host}:{port}/live", open_timeout=5, **options)


def text_of(client: Connection, kind: str) -> dict[str, Any]:
    while True:
        message = client.recv(timeout=5)
        if isinstance(message, str) and (found := json.loads(message))["type"] == kind:
            return found


def read_some(client: Connection) -> None:
    for _ in range(5):
        client.recv(timeout=5)


def frame(time: float) -> Frame:
    return Frame("hall", time, BgrPicture(np.zeros((6, 8, 3), np.uint8)))


def test_the_first_message_is_the_greeting(view: LiveView) -> None:
    with opened(view) as client:
        hello = json.loads(client.recv(timeout=5))
    assert (hello["type"], hello["labels"]) == ("hello", ["JumpRope", "PushUps"])


def test_texts_and_pictures_come_as_text_and_binary_messages(view: LiveView, make_notice: MakeNotice) -> None:
    view.show(Step(make_notice(), frame(1.5)))
    with opened(view) as client:
        kinds = {type(client.recv(timeout=5)) for _ in range(3)}
    assert kinds == {str, bytes}


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_page_of_another_site_is_refused_before_the_handshake(view: LiveView, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught, opened(view, origin=origin):
        pass
    assert caught.value.response.status_code == 403


def test_the_page_of_this_server_and_a_program_without_origin_are_accepted(view: LiveView) -> None:
    for origin in (f"http://127.0.0.1:{view.address[1]}", None):
        with opened(view, origin=origin) as client:
            assert text_of(client, "hello")


def test_a_page_at_rest_gets_texts_but_no_picture_until_it_watches(
    view: LiveView, encoder: Encoder, make_notice: MakeNotice
) -> None:
    with opened(view) as client:
        text_of(client, "hello")
        client.send("rest")
        assert client.ping().wait(5)
        view.show(Step(make_notice(time=2.0), frame(2.0)))
        while text_of(client, "camera")["time"] != 2.0:
            pass
        assert encoder.times == []
        client.send("watch")
        while isinstance(picture := client.recv(timeout=5), str):
            pass
    assert picture.endswith(b"2.0")


def test_other_messages_are_ignored(view: LiveView, make_notice: MakeNotice) -> None:
    with opened(view) as client:
        text_of(client, "hello")
        for message in ("", "WATCH", '{"type": "rest"}', b"rest"):
            client.send(message)
        assert client.ping().wait(5)
        view.show(Step(make_notice(time=3.0), frame(3.0)))
        while isinstance(picture := client.recv(timeout=5), str):
            pass
    assert picture.endswith(b"3.0")


def test_a_message_above_one_kilobyte_closes_the_connection(view: LiveView) -> None:
    with opened(view) as client:
        client.send("w" * 2000)
        with pytest.raises(ConnectionClosed):
            read_some(client)
    assert client.close_code == 1009  # message too big; RFC 6455, section 7.4.1


def test_a_text_that_is_not_utf8_closes_the_connection_without_a_traceback(
    view: LiveView, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(view) as client:
        text_of(client, "hello")
        client.send(b"\xff", text=True)
        with pytest.raises(ConnectionClosed):
            read_some(client)
    assert client.close_code == 1007  # the data is not of the message's type; RFC 6455, section 7.4.1
    assert caplog.records == []


def test_nothing_is_encoded_after_the_last_page_closed(
    view: LiveView, encoder: Encoder, make_notice: MakeNotice, eventually: Eventually
) -> None:
    with opened(view) as client:
        text_of(client, "hello")
        view.show(Step(make_notice(time=1.0), frame(1.0)))
        eventually(lambda: encoder.times == [1.0], "the picture of an open page")
    with opened(view) as other:  # its state comes in the round after the first page left
        other.send("rest")
        assert other.ping().wait(5)
        view.show(Step(make_notice(time=2.0), frame(2.0)))
        while text_of(other, "camera")["time"] != 2.0:
            pass
    assert encoder.times == [1.0]
