"""`harstream listen` prints the messages of a real broker."""

from __future__ import annotations

import io
import json
import subprocess
import threading
from typing import Any

import pytest
from rich.console import Console

from harstream.mqtt.broker.address import BrokerAddress
from harstream.stream.app.listener import Listener, Printer, topics_of
from harstream.wire.context import Context
from harstream.wire.errors import BrokerError, ConfigError
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EventType
from tests.support.values import MakeEvent
from tests.support.waiting import Eventually

TOPIC = "har/nuc1/camera/hall/event"


def test_no_broker_gives_a_one_line_error(free_port: int) -> None:
    with pytest.raises(BrokerError, match=f"expected a broker at mqtt://127.0.0.1:{free_port}, got connection refused"):
        Listener(BrokerAddress("127.0.0.1", free_port), topics_of("+"), Printer(Console())).run()


@pytest.mark.parametrize("node", ["#", "", "a/b", "x" * 65])
def test_an_invalid_node_name_is_refused(node: str) -> None:
    with pytest.raises(ConfigError, match="expected the name of a node"):
        topics_of(node)


def test_topics_are_those_of_the_node_and_of_the_selected_messages() -> None:
    event, observation, available = (f"har/nuc1/camera/+/{kind}" for kind in ("event", "observation", "availability"))
    assert topics_of("nuc1") == [
        event, "har/nuc1/status", available, "har/nuc1/camera/+/forecast", "har/nuc1/forecast",
        "har/nuc1/forecaster/status",
    ]  # fmt: skip
    assert topics_of("nuc1", observations=True, raw=True) == [event, observation]


class RunningListener:
    """Runs a Listener on a thread; it prints into `out`."""

    def __init__(self, url: str, *, raw: bool = False) -> None:
        self.out = io.StringIO()
        printer = Printer(Console(file=self.out, width=200), raw=raw)
        self._listener = Listener(BrokerAddress.parse(url), topics_of("+", raw=raw), printer)
        self._thread = threading.Thread(target=self._listener.run)

    def __enter__(self) -> RunningListener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()
        self._thread.join()


def publish(port: int, topic: str, payload: bytes) -> None:
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-q", "1", "-s"]
    subprocess.run(command, input=payload, check=True)


@pytest.mark.mosquitto
def test_listener_prints_messages_and_survives_an_outage(
    mosquitto: Any, make_event: MakeEvent, context: Context, eventually: Eventually
) -> None:
    start = EventMessage.of(make_event(), context).encode()
    end = EventMessage.of(make_event(EventType.END), context).encode()

    def arrives(payload: bytes, sign: str) -> bool:
        # The test publishes until the listener prints: it cannot know when the subscription is made.
        publish(mosquitto.port, TOPIC, payload)
        return sign in listening.out.getvalue()

    with RunningListener(mosquitto.url) as listening:
        eventually(lambda: arrives(start, "▶ start"), "the start")
        publish(mosquitto.port, TOPIC, b"\x1b[2J")
        mosquitto.stop()
        eventually(lambda: "waiting for it" in listening.out.getvalue(), "the outage to be reported")
        mosquitto.start()
        eventually(lambda: arrives(end, "■ end"), "the end")
    assert "\x1b" not in listening.out.getvalue()


@pytest.mark.mosquitto
def test_raw_output_is_one_json_object_per_line(
    mosquitto: Any, make_event: MakeEvent, context: Context, eventually: Eventually
) -> None:
    message = EventMessage.of(make_event(activity="\x9b6n [bold]"), context).facts()

    def arrives() -> bool:
        publish(mosquitto.port, TOPIC, json.dumps(message, indent=2, ensure_ascii=False).encode())
        return "01JD" in listening.out.getvalue()

    with RunningListener(mosquitto.url, raw=True) as listening:
        eventually(arrives, "the event")
    shown = listening.out.getvalue()
    assert "\x9b" not in shown
    assert json.loads(shown.splitlines()[0]) == json.loads(json.dumps(message))
