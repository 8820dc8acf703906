"""The section `web`: the page that shows the cameras and their activities."""

from __future__ import annotations

from pydantic import Field

from harstream.stream.config.section import Port, Section


class WebConfig(Section):
    enabled: bool = Field(default=True, description="serve the live view")
    host: str = Field(default="127.0.0.1", description="0.0.0.0 shows the page to other machines; it has no login")
    port: Port = Field(default=8080, description="port of the page; 0: any free port")
    control: bool | None = Field(
        default=None, description="the page may change settings; null: only if host is this machine (loopback)"
    )
