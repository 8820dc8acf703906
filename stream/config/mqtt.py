"""The section `mqtt`: the broker, and what is published."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from harstream.mqtt.address import BrokerAddress
from harstream.stream.config.section import Section
from harstream.wire.errors import Misfit


class MqttConfig(Section):
    broker: str | None = Field(
        default=None,
        description="mqtt://user:password@host:1883 or mqtts://...; null: harstream's own broker on 127.0.0.1",
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

    @field_validator("discovery")
    @classmethod
    def _check_prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
            raise Misfit("expected Home Assistant's discovery prefix, such as homeassistant, or null", repr(value))
        return value

    @field_validator("broker")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None:
            BrokerAddress.parse(value)
        return value

    @property
    def url(self) -> str:
        """The broker's URL for clients on this machine. It may contain a password."""
        return self.broker or f"mqtt://127.0.0.1:{self.embedded_port}"
