"""Two services with one node name or one client id: the newer one stays, and the older one ends without a trace."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.ownership import Ownership
from harstream.mqtt.publisher import Publisher
from tests.support.broker import Mosquitto, Subscribe
from tests.support.waiting import Eventually

STATUS, OWNER = "har/nuc1/status", "har/nuc1/owner"


class Node:
    """A publisher as `harstream run` has it, and whether it was asked to end."""

    def __init__(self, url: str, folder: Path, *, mqtt5: bool, client_id: str | None, started_at: float) -> None:
        self.taken_over = threading.Event()
        address = replace(BrokerAddress.parse(url), supports_mqtt5=mqtt5)
        self.publisher = Publisher(
            address,
            Outbox(folder / "outbox.sqlite"),
            will=Will(STATUS, "offline"),
            client_id=client_id,
            ownership=Ownership(OWNER, "nuc1", started_at),
        )
        self.publisher.set_takeover_handler(self.taken_over.set)
        self.publisher.retain(STATUS, b"online")
        self.publisher.start(must_connect=True)

    def close(self) -> None:
        self.publisher.close((STATUS, b"offline"))


NewNode = Callable[..., Node]


@pytest.fixture
def new_node(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[NewNode]:
    nodes: list[Node] = []

    def make(
        name: str, *, mqtt5: bool = True, client_id: str | None = None, started_at: float = 1_700_000_000.0
    ) -> Node:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        nodes.append(Node(mosquitto.url, folder, mqtt5=mqtt5, client_id=client_id, started_at=started_at))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.mark.mosquitto
@pytest.mark.parametrize("mqtt5", [True, False])
@pytest.mark.parametrize("client_id", [None, "shared"])
@pytest.mark.parametrize("later", [1.0, -1_000_000.0])
def test_the_older_service_ends_and_the_newer_one_stays_online(
    new_node: NewNode, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually,
    mqtt5: bool, client_id: str | None, later: float, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The clock of the newer one's machine may be wrong by days."""
    caplog.set_level(logging.INFO)
    subscriber = subscribe(mosquitto.port)
    first = new_node("first", mqtt5=mqtt5, client_id=client_id)
    eventually(lambda: subscriber.of("nuc1/owner"), "the first claim")
    second = new_node("second", mqtt5=mqtt5, client_id=client_id, started_at=1_700_000_000.0 + later)
    eventually(first.taken_over.is_set, "the older one to end", 20)
    eventually(lambda: [one.payload for one in subscriber.of("nuc1/status")].count("online") == 2, "both to say hello")
    messages = len(subscriber.of("nuc1/status"))
    first.close()
    late = subscribe(mosquitto.port)
    eventually(lambda: [one.payload for one in late.of("nuc1/status")][-1:] == ["online"], "the retained status", 20)
    assert not second.taken_over.is_set()
    assert second.publisher.is_connected
    # With one client id, the broker publishes the last will of the older one when the newer one connects.
    statuses = [one.payload for one in subscriber.of("nuc1/status")]
    assert statuses[-1] == "online"
    assert statuses.count("offline") == (0 if client_id is None else 1)
    assert len(statuses) == messages, "the older one published something at its end"
    assert sum("takes over the node" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.mosquitto
def test_a_restart_of_the_same_installation_says_nothing(
    new_node: NewNode, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    subscriber = subscribe(mosquitto.port)
    new_node("same").close()
    again = new_node("same", started_at=1_600_000_000.0)
    eventually(lambda: len({one.json["run"] for one in subscriber.of("nuc1/owner")}) == 2, "the second claim")
    eventually(
        lambda: subscriber.of("nuc1/owner")[-1].json["epoch"] > 1_700_000_000.0, "an epoch above the earlier one"
    )
    assert not again.taken_over.wait(1)
    assert not any("takes over" in record.getMessage() for record in caplog.records)


@pytest.mark.mosquitto
def test_a_service_that_was_away_does_not_come_back_over_a_newer_one(
    new_node: NewNode, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    subscriber = subscribe(mosquitto.port)
    first = new_node("first")
    eventually(lambda: subscriber.of("nuc1/owner"), "the first claim")
    mosquitto.stop()
    mosquitto.start()
    other = new_node("other", started_at=1_900_000_000.0)
    eventually(first.taken_over.is_set, "the older one to end", 20)
    assert not other.taken_over.is_set()


def test_invalid_owner_messages_change_nothing() -> None:
    ownership = Ownership(OWNER, "nuc1", 5.0)
    for payload in (b"", b"online", b"{}", json.dumps({"epoch": 9e99}).encode()):
        assert not ownership.handle(payload)
    assert ownership.newer is None
