"""Asks for the values of a config.yaml, tries each answer, and collects the values to write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm, Prompt

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection
from harstream.stream.app.config.onvif_stream import ask_for_stream
from harstream.stream.app.config.password_prompt import new_password
from harstream.stream.app.onvif_cameras import search_cameras
from harstream.stream.config.file import with_overrides
from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.model import Config
from harstream.stream.config.web import WebUser
from harstream.stream.config.writer import FromFile, WithVariables
from harstream.stream.sources.address import Webcam, is_onvif, parse_source
from harstream.stream.sources.network.onvif_device import OnvifDevice
from harstream.stream.sources.probe import probe, probe_all
from harstream.stream.web.access.passwords import hash_password
from harstream.wire.errors import ConfigError, HarstreamError
from harstream.wire.masking import masked_address

SECRETS = "secrets"
"""The folder for secrets, beside the config file."""
OWN_BROKER = "own"


@dataclass
class Answers:
    """The collected answers."""

    values: dict[str, Any] = field(default_factory=lambda: Config().model_dump())
    """The values for `config_text`."""
    secrets: dict[FromFile, str] = field(default_factory=dict)
    """The content of each secret file."""
    variables: dict[str, str] = field(default_factory=dict)
    """Masked addresses by the environment variable that you must set to them."""


class ConfigWizard:
    """Asks the questions on a terminal."""

    def __init__(self, console: Console, folder: Path, discovery: str) -> None:
        """`folder`: the folder of config.yaml. `discovery`: where ONVIF cameras are searched."""
        self._console = console
        self._folder = folder
        self._discovery = discovery
        self._answers = Answers()

    def ask(self) -> Answers:
        """Ask all questions. It writes nothing. Raises EOFError and KeyboardInterrupt."""
        values = self._answers.values
        values["node"] = self._checked("Name of this machine, for topics", values["node"], lambda text: {"node": text})
        values["cameras"] = self._cameras()
        values["mqtt"]["broker"] = self._broker()
        values["web"] |= self._live_view()
        return self._answers

    def _cameras(self) -> list[dict[str, Any]]:
        self._say("Looking for webcams and ONVIF cameras ...")
        found = [one for one in probe_all([]) if isinstance(one.source, Webcam)]
        network = search_cameras(self._console, self._discovery)
        for one in [*found, *network]:
            self._say(f"  {one}")
        offered = [str(one.source.device) for one in found if isinstance(one.source, Webcam)]
        offered = [*offered, *(device.address for device in network)] or ["scene"]
        cameras = [self._camera(offered[0], [])]
        while Confirm.ask("Another camera?", default=False, console=self._console):
            cameras.append(self._camera(offered[min(len(cameras), len(offered) - 1)], cameras))
        return cameras

    def _camera(self, offered: str, others: list[dict[str, Any]]) -> dict[str, Any]:
        source = self._source(offered)
        default = f"camera{len(others) + 1}" if others else "camera"
        known = [camera | {"source": "scene"} for camera in others]
        name = self._checked("Its name", default, lambda text: {"cameras": [*known, {"name": text, "source": "scene"}]})
        area = Prompt.ask("The room it is in (may stay empty)", default="", show_default=False, console=self._console)
        return {"name": name, "source": self._without_secret(source, f"camera-{name}"), "area": area.strip() or None}

    def _source(self, offered: str) -> str:
        while True:
            answer = self._checked(
                "Camera: a webcam's index, webcam:NAME, rtsp://user:password@host/path, http://..., onvif://host, a "
                "file, or scene",
                offered,
                _source_changes,
            )
            source = ask_for_stream(self._console, answer) if is_onvif(answer) else answer
            if source is None:
                continue
            self._say("  trying ...")
            if self._try_or_keep(partial(_picture_of, source)):
                return source

    def _broker(self) -> str | None:
        while True:
            url = self._checked(
                f"MQTT broker: mqtt://user:password@host:1883, mqtts, ws or wss, or {OWN_BROKER} for its own broker",
                OWN_BROKER,
                lambda text: {"mqtt": {"broker": None if text == OWN_BROKER else text}},
            )
            if url == OWN_BROKER:
                return None
            tls = self._tls(url)
            if self._try_or_keep(partial(_answer_of, url, tls)):
                self._answers.values["mqtt"]["tls"] |= tls
                return self._without_secret(url, "broker")

    def _tls(self, url: str) -> dict[str, Any]:
        """Return the keys of `mqtt.tls` that the broker needs."""
        if not BrokerAddress.parse(url).tls:
            return {}
        ca = self._file("File with the certificate of its authority (empty: the authorities that this machine trusts)")
        certificate = self._file("File with a certificate of this client (empty: the broker asks for none)")
        key = (
            self._file("File with the key of that certificate (empty: it is in the same file)") if certificate else None
        )
        return {"ca": ca, "certificate": certificate, "key": key}

    def _file(self, question: str) -> str | None:
        return Prompt.ask(question, default="", show_default=False, console=self._console).strip() or None

    def _live_view(self) -> dict[str, Any]:
        if not Confirm.ask("A live view in the browser?", default=True, console=self._console):
            return {"enabled": False}
        self._say("  0.0.0.0 shows the page to other machines, with a login")
        host = self._checked("It listens on", "127.0.0.1", lambda text: {"web": {"host": text, "auth": "none"}})
        port = self._checked("at port", "8080", lambda text: {"web": {"port": text}})
        users = [] if is_loopback(host) else [self._user()]
        return with_overrides(Config(), {"web": {"host": host, "port": port, "users": users}}).web.model_dump()

    def _user(self) -> dict[str, Any]:
        """Ask for the first user, who may change settings. config.yaml gets only the hash of the password."""
        known = WebUser(name="admin", password_hash=hash_password(""))
        name = self._checked(
            "User who may log in", known.name, lambda text: {"web": {"users": [known.model_dump() | {"name": text}]}}
        )
        hashed = hash_password(new_password(self._console))
        return WebUser(name=name, password_hash=hashed, role="operator").model_dump()

    def _without_secret(self, url: str, owner: str) -> str:
        """Return the value for config.yaml. For a `url` with a secret, it asks where to store the URL."""
        if masked_address(url) == url:
            return url
        variable = f"ADDRESS_{owner.upper().replace('-', '_')}"
        while variable in self._answers.variables:
            variable += "_"
        file = FromFile(f"{SECRETS}/{owner}")
        self._say(f"  Where to keep the address and its password? file: it goes into {file}, which only you can read;")
        self._say(f"  environment: you set {variable} to it; here: in config.yaml, for everyone who may read it")
        choices = ["file", "environment", "here"]
        match Prompt.ask("The address", choices=choices, default="file", console=self._console):
            case "file":
                self._answers.secrets[file] = url
                return file
            case "environment":
                self._answers.variables[variable] = masked_address(url)
                return WithVariables(f"${{{variable}}}")
        return url

    def _checked(self, question: str, default: str, changes: Callable[[str], dict[str, Any]]) -> str:
        """Ask until the answer is a valid value."""
        while True:
            answer = Prompt.ask(question, default=default, console=self._console).strip()
            try:
                with_overrides(Config(), changes(answer))
            except ConfigError as error:
                self._say(f"  {error}")
            else:
                return answer

    def _try_or_keep(self, attempt: Callable[[], str]) -> bool:
        """Make the attempt. Return whether it succeeds or the user keeps the answer anyway."""
        try:
            self._say(f"  {attempt()}")
        except HarstreamError as error:
            self._say(f"  {error}")
            return Confirm.ask("Keep it anyway?", default=False, console=self._console)
        return True

    def _say(self, text: str) -> None:
        self._console.print(escape(text))


def _source_changes(text: str) -> dict[str, Any]:
    """Return the changes that check a camera's address. Raises Misfit for an address of ONVIF that does not fit."""
    if is_onvif(text):
        OnvifDevice.parse(text)
        return {}
    return {"cameras": [{"name": "camera", "source": text}]}


def _picture_of(source: str) -> str:
    """Return the format of a camera as text. Raises SourceError."""
    return str(probe(parse_source(source)))


def _answer_of(url: str, tls: dict[str, Any]) -> str:
    """Return the broker's address and MQTT version as text. Raises BrokerError."""
    address = with_overrides(Config(), {"mqtt": {"broker": url, "tls": tls}}).mqtt.address
    connection = Connection(address)
    connection.open()
    connection.close()
    return f"{address.url} answers, MQTT {connection.version}"
