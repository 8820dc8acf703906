"""The section `mqtt`: the broker, and what is published."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, field_validator, model_validator

from harstream.mqtt.broker.address import DEFAULT_PORTS, BrokerAddress, TlsSettings
from harstream.mqtt.broker.tls import client_context
from harstream.stream.config.section import SECRET, Section, line_error, value_error
from harstream.stream.config.validation_context import ValidationContext
from harstream.wire.errors import BrokerError, Misfit

HOSTS, PORT = ("host", "hostname", "server", "address", "url"), "port"
OTHER_NAMES = {
    "username": "user", "pass": "password", "ca": "tls: {ca: ...}", "cert": "tls: {certificate: ...}",
    "tls_ca_certs": "tls: {ca: ...}", "tls_client_cert": "tls: {certificate: ...}", "tls_client_key": "tls: {key: ...}",
    "tls_insecure": "tls: {insecure: true}", "topic_prefix": "node, which is part of every topic",
}  # fmt: skip
"""Keys of Frigate and other programs, with what to write here."""


class TlsConfig(Section):
    ca: Path | None = Field(
        default=None, description="certificates to trust, such as your own authority's; null: those of this machine"
    )
    certificate: Path | None = Field(default=None, description="certificate of this client, if the broker asks for one")
    key: Path | None = Field(default=None, description="its key; null: the key is in the same file")
    insecure: bool = Field(
        default=False, description="accept any certificate; anyone on the way can read and change the messages"
    )

    @field_validator("key")
    @classmethod
    def _check_has_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("certificate", value) is None:
            raise Misfit("expected certificate beside key", "key alone")
        return value

    @model_validator(mode="after")
    def _check_files(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, ValidationContext):
            try:
                client_context(self.settings)
            except BrokerError as error:
                raise Misfit(str(error).removeprefix("mqtt.tls: ").removeprefix("mqtt.tls.ca: ")) from error
        return self

    @property
    def settings(self) -> TlsSettings:
        return TlsSettings(**self.model_dump())


class MqttConfig(Section):
    broker: str | None = Field(
        default=None,
        description="mqtt://host:1883, mqtts://host:8883 (TLS), ws://host:9001/mqtt or wss://... (WebSockets); null: "
        "harstream's own broker on 127.0.0.1",
    )
    user: str | None = Field(default=None, min_length=1, description="the login at the broker")
    password: str | None = Field(
        default=None, min_length=1, repr=False, json_schema_extra=SECRET,
        description="its password, best as `!file path` or ${NAME}",
    )  # fmt: skip
    tls: TlsConfig = Field(default=TlsConfig(), description="for mqtts:// and wss://")
    client_id: str | None = Field(
        default=None,
        pattern=r"^[ -~]{1,128}$",
        description="this client's id at the broker; null: one that is made once and kept in `state`",
    )
    embedded_port: int = Field(default=1883, ge=1, le=65535, description="port of harstream's own broker")
    observations: bool = Field(default=True, description="also publish the probabilities of every scored window")
    snapshots: bool = Field(
        default=False,
        description="retain a picture of each activity's start; every client that may read from the broker can see it",
    )
    discovery: str | None = Field(
        default="homeassistant",
        description="Home Assistant's discovery prefix, which adds the cameras to Home Assistant; null: no discovery",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _explain_other_names(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Report the keys of other programs together with the other mistakes."""
        if not isinstance(value, dict):
            return handler(value)
        found = [value_error((key,), misfit) for key, misfit in _other_names(value).items()]
        if not found:
            return handler(value)
        known = {key: one for key, one in value.items() if key in cls.model_fields}
        try:
            handler({"broker": _broker_of(value), **known})
        except ValidationError as error:
            found += [line_error(mistake) for mistake in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, found, hide_input=True)

    @field_validator("broker")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None:
            BrokerAddress.parse(value)
        return value

    @field_validator("user")
    @classmethod
    def _check_is_the_only_login(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "broker" not in info.data:
            return value
        if info.data["broker"] is None:
            raise Misfit("expected broker: mqtt://host:1883 beside user; harstream's own broker has no login")
        if BrokerAddress.parse(info.data["broker"]).username is not None:
            raise Misfit("expected the login in broker or in user and password", "both")
        return value

    @field_validator("password")
    @classmethod
    def _check_has_user(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("user", value) is None:
            raise Misfit("expected user beside password", "password alone")
        return value

    @field_validator("tls")
    @classmethod
    def _check_is_used(cls, value: TlsConfig, info: ValidationInfo) -> TlsConfig:
        if value != TlsConfig() and "broker" in info.data and not _has_tls(info.data["broker"]):
            raise Misfit("expected broker: mqtts://host:8883 or wss://... beside tls", "a broker without TLS")
        return value

    @field_validator("discovery")
    @classmethod
    def _check_prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
            raise Misfit("expected Home Assistant's discovery prefix, such as homeassistant, or null", repr(value))
        return value

    @property
    def address(self) -> BrokerAddress:
        """The broker for clients on this machine, with login and files of TLS."""
        if self.broker is None:
            # harstream's own broker does not support MQTT 5.
            return BrokerAddress("127.0.0.1", self.embedded_port, supports_mqtt5=False)
        address = replace(BrokerAddress.parse(self.broker), tls_settings=self.tls.settings)
        return replace(address, username=self.user, password=self.password) if self.user else address

    def with_broker(self, url: str) -> dict[str, Any]:
        """Return the values of this section with another broker. The login belongs to the old one and is left out."""
        values = self.model_dump() | {"broker": url, "user": None, "password": None}
        return values if _has_tls(url) else values | {"tls": {}}


def _has_tls(url: str | None) -> bool:
    return url is not None and url.lower().startswith(("mqtts:", "wss:"))


def _other_names(section: dict[str, Any]) -> dict[str, Misfit]:
    """Return the mistake of each key that another program has, and harstream has not."""
    found = {key: Misfit("there is no such key here", meant=OTHER_NAMES[key]) for key in section if key in OTHER_NAMES}
    for key in section:
        if key in (*HOSTS, PORT):
            expected = "expected host and port together in broker"
            found[key] = Misfit(expected, f"the key {key}", f"broker: {_broker_of(section)}")
    return found


def _broker_of(section: dict[str, Any]) -> str:
    """Return the address that host and port of another program's configuration mean."""
    host = next((str(section[key]) for key in HOSTS if key in section), "host")
    host = host.rpartition("@")[2].rpartition("//")[2]
    port = str(section.get(PORT) or DEFAULT_PORTS["mqtt"])
    scheme = "mqtts" if port == str(DEFAULT_PORTS["mqtts"]) else "mqtt"
    return f"{scheme}://{host}" if ":" in host else f"{scheme}://{host}:{port}"
