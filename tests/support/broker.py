"""A real mosquitto, and a subscriber that receives everything that harstream publishes."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harstream.wire.schemas import json_schemas
from tests.support.waiting import DEADLINE, new_free_port, require, wait_until


class Mosquitto:
    """A broker that can stop and restart. It keeps its data, unless `stop(forget=True)` deletes it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._login = "allow_anonymous true"
        self._host = "127.0.0.1"
        self._text = ""

    def configure(self, text: str) -> None:
        """Replaces the whole configuration. Call it before `start`."""
        self._text = text

    def require_login(self, username: str, password: str) -> None:
        """Call it before `start`."""
        passwords = self._folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), username, password], check=True)
        self._login = f"allow_anonymous false\npassword_file {passwords}"

    def use_tls(self, certificate: Path, key: Path) -> None:
        """Call it before `start`."""
        self._login += f"\ncertfile {certificate}\nkeyfile {key}"
        self.url = f"mqtts://127.0.0.1:{self.port}"

    def save_every_second(self) -> None:
        """Save sessions and queued messages each second, not each half hour. Call it before `start`."""
        self._login += "\nautosave_interval 1"

    def use_ipv6(self) -> None:
        """Call it before `start`."""
        self._host = "::1"
        self.url = f"mqtt://[::1]:{self.port}"

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text(
            self._text
            or f"listener {self.port} {self._host}\n{self._login}\nuser {getpass.getuser()}\n"
            f"persistence true\npersistence_location {self._folder}/\n"
        )
        self._process = subprocess.Popen(
            [program("mosquitto"), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, "mosquitto to answer")

    def stop(self, *, forget: bool = False) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(DEADLINE)
            self._process = None
        if forget:
            (self._folder / "mosquitto.db").unlink(missing_ok=True)

    def kill(self) -> None:
        """End at once, without saving anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(DEADLINE)
        self._process = None

    def freeze(self) -> None:
        """Stop answering, and keep all connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET) as probe:
            return probe.connect_ex((self._host, self.port)) == 0


def new_mosquitto(folder: Path) -> Mosquitto:
    require(program("mosquitto") != "", "mosquitto is not installed (apt install mosquitto mosquitto-clients)")
    folder.mkdir()
    return Mosquitto(folder, new_free_port())


@pytest.fixture
def stopped_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = new_mosquitto(tmp_path / "mosquitto")
    yield broker
    broker.stop()


@pytest.fixture
def mosquitto(stopped_mosquitto: Mosquitto) -> Mosquitto:
    stopped_mosquitto.start()
    return stopped_mosquitto


@pytest.fixture(scope="module")
def module_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for all tests of a file."""
    broker = new_mosquitto(tmp_path_factory.mktemp("broker") / "mosquitto")
    broker.start()
    yield broker
    broker.stop()


@dataclass(frozen=True)
class Received:
    topic: str
    qos: int
    retained: bool
    content: bytes

    @property
    def payload(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuses unknown keys, which consumers accept because additions keep the schema."""
    closed = {name: _strict(value) if isinstance(value, dict) else value for name, value in schema.items()}
    return closed | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})


VALIDATORS = {
    schema_id: jsonschema.Draft202012Validator(_strict(schema)) for schema_id, schema in json_schemas().items()
}


def validate_message(message: Any) -> None:
    """Raises ValidationError if a message does not match its schema."""
    if isinstance(message, dict) and "schema" in message:
        VALIDATORS[message["schema"]].validate(message)


@pytest.fixture(scope="session")
def validate() -> Callable[[Any], None]:
    """`validate(message)` fails if the message does not match its own schema in every key."""
    return lambda message: validate_message(json.loads(json.dumps(message)))


class Subscriber:
    """mosquitto_sub on all topics of harstream, with a session that survives an outage of the broker.

    `close` checks all received messages against their schemas.
    """

    def __init__(self, port: int) -> None:
        self.received: list[Received] = []
        host, probe = ["-h", "127.0.0.1", "-p", str(port)], ["-t", "ready"]
        subprocess.run(["mosquitto_pub", *host, *probe, "-r", "-m", "yes"], check=True)
        session = ["-i", f"subscriber-{id(self)}", "-c", "-q", "1"]
        self._process = subprocess.Popen(
            # The probe arrives last: the retained messages of the other topics arrive before it.
            ["mosquitto_sub", *host, "-t", "har/#", "-t", "homeassistant/#", *probe, *session, "-F", "%t\t%q\t%r\t%x"],
            stdout=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        wait_until(lambda: self.of("ready"), "the subscriber to be ready")

    def of(self, ending: str) -> list[Received]:
        return [received for received in list(self.received) if received.topic.endswith(ending)]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)
        self._thread.join()
        for received in self.received:
            if received.topic.startswith("har/") and received.payload.startswith("{"):
                validate_message(received.json)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                topic, qos, retained, content = line.rstrip("\n").split("\t", 3)
                self.received.append(Received(topic, int(qos), retained == "1", bytes.fromhex(content)))


Subscribe = Callable[[int], Subscriber]
"""Starts a subscriber at the broker of that port. It receives all later messages and the retained ones."""


def _subscribers() -> Iterator[Subscribe]:
    subscribers: list[Subscriber] = []

    def start(port: int) -> Subscriber:
        subscribers.append(Subscriber(port))
        return subscribers[-1]

    yield start
    for subscriber in subscribers:
        subscriber.close()


subscribe = pytest.fixture(name="subscribe")(_subscribers)
module_subscribe = pytest.fixture(name="module_subscribe", scope="module")(_subscribers)


def program(name: str) -> str:
    """Finds a program also in the folders where Debian keeps brokers. Returns "" if it is missing."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""
