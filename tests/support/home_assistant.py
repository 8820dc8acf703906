"""A real Home Assistant, which `make home-assistant` installs."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from websockets.sync.client import connect

from harstream.wire.home_assistant import BIRTH
from tests.support.broker import Mosquitto, Subscriber
from tests.support.waiting import new_free_port, wait_until

REPOSITORY = Path(__file__).parents[2]
HASS = REPOSITORY / ".home-assistant" / "hass"
BLUEPRINTS = REPOSITORY / "deploy" / "home-assistant" / "blueprints"
BOOT = 90.0
"""The longest wait, in seconds."""


class HomeAssistant:
    """Runs Home Assistant in a folder of its own and creates the owner and the MQTT integration as its pages do."""

    def __init__(self, folder: Path, port: int, automations: Sequence[dict[str, Any]]) -> None:
        self._folder = folder
        self._url = f"http://127.0.0.1:{port}"
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(BLUEPRINTS, folder / "blueprints")
        configuration = {
            "http": {"server_host": "127.0.0.1", "server_port": port},
            **{part: {} for part in ("api", "config", "onboarding")},
            "input_text": {each["alias"]: {} for each in automations},
            "automation": list(automations),
        }
        (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration))

    def start(self) -> None:
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen([HASS, "--config", self._folder], stdout=output, stderr=output)
        wait_until(self._is_up, "Home Assistant to be up", BOOT)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def settle_in(self, broker_port: int) -> None:
        """Creates the owner's account and the MQTT integration, and waits for its birth message.

        Clients publish again what is retained when they receive that message.
        """
        client = {"client_id": f"{self._url}/"}
        owner = {"name": "Ada", "username": "ada", "password": "countess", "language": "en"}
        code = self.post("/api/onboarding/users", client | owner)["auth_code"]
        form = urllib.parse.urlencode(client | {"grant_type": "authorization_code", "code": code}).encode()
        with urllib.request.urlopen(f"{self._url}/auth/token", form, timeout=20) as answer:
            self._token = json.load(answer)["access_token"]
        flow = self.post("/api/config/config_entries/flow", {"handler": "mqtt"})
        broker = {"broker": "127.0.0.1", "port": broker_port}
        with closing(Subscriber(broker_port)) as subscriber:
            made = self.post(f"/api/config/config_entries/flow/{flow['flow_id']}", broker)
            assert made["type"] == "create_entry", made
            wait_until(lambda: subscriber.of(BIRTH), "the birth message", BOOT)

    def post(self, path: str, body: Any) -> Any:
        return json.loads(self._request(path, json.dumps(body).encode()))

    def state(self, entity: str) -> str | None:
        found = self.entity(entity)
        return None if found is None else found["state"]

    def entity(self, entity: str) -> Any:
        try:
            return json.loads(self._request(f"/api/states/{entity}"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def attribute(self, entity: str, name: str) -> Any:
        found = self.entity(entity)
        return None if found is None else found["attributes"].get(name)

    def image(self, entity: str) -> np.ndarray[Any, Any] | None:
        """Returns the decoded picture that the entity shows, or None."""
        shown = self.attribute(entity, "entity_picture")
        found = self._request(shown) if shown and self.state(entity) not in ("unknown", "unavailable") else b""
        return cv2.imdecode(np.frombuffer(found, np.uint8), cv2.IMREAD_COLOR) if found else None

    def registry(self, kind: str) -> list[Any]:
        """Returns a registry: `area`, `device` or `entity`."""
        with connect(f"{self._url.replace('http', 'ws')}/api/websocket", max_size=None) as socket:
            socket.recv()
            socket.send(json.dumps({"type": "auth", "access_token": self._token}))
            socket.recv()
            socket.send(json.dumps({"id": 1, "type": f"config/{kind}_registry/list"}))
            found: list[Any] = json.loads(socket.recv())["result"]
            return found

    def device(self, identifier: str) -> Any:
        found = [each for each in self.registry("device") if ["mqtt", identifier] in each["identifiers"]]
        return found[0] if found else None

    @property
    def output(self) -> str:
        return (self._folder / "output").read_text()

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.output
        try:
            return bool(self._request("/api/onboarding"))
        except (OSError, urllib.error.HTTPError):
            return False

    def _request(self, path: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._url + path, body, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            content: bytes = answer.read()
            return content


@pytest.fixture(scope="module")
def home_assistant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, module_mosquitto: Mosquitto
) -> Iterator[HomeAssistant]:
    """One for all tests of a file, with the file's `AUTOMATIONS`. It is connected to `module_mosquitto`."""
    if not HASS.exists():  # in CI, too: its packages come from many other places
        pytest.skip("Home Assistant is not installed (make home-assistant)")
    automations = getattr(request.module, "AUTOMATIONS", [])
    hass = HomeAssistant(tmp_path_factory.mktemp("home-assistant"), new_free_port(), automations)
    try:
        hass.start()
        hass.settle_in(module_mosquitto.port)
        yield hass
    finally:
        hass.stop()
