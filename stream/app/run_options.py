"""The options of `harstream run`, and the configuration that results from them and config.yaml."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from harstream.stream.app.common_options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DeviceOption,
    EventsOption,
    ModelOption,
    RecordOption,
    read_config,
    validation_context,
)
from harstream.stream.config.file import with_overrides
from harstream.stream.config.json_schema import KeyPath
from harstream.stream.config.model import Config
from harstream.stream.service.log import Style
from harstream.stream.teaching.chosen_model import with_chosen_model
from harstream.wire.masking import Secrets


@dataclass(frozen=True)
class RunOptions:
    """The options of `run`. An option that is None keeps the value of config.yaml."""

    config: ConfigOption = None
    source: Annotated[
        tuple[str, ...],
        typer.Option(help="A webcam's index or /dev/..., rtsp://..., http://..., a file, or scene. Repeatable."),
    ] = ()
    model: ModelOption = None
    broker: Annotated[
        str | None,
        typer.Option(help="mqtt://host:port, mqtts, ws or wss. Without it, harstream starts its own broker."),
    ] = None
    events: EventsOption = None
    record: RecordOption = None
    display: Annotated[
        bool | None, typer.Option("--display", help="Open a window per camera on this machine's screen.")
    ] = None
    no_web: Annotated[bool, typer.Option("--no-web", help="Do not serve the live view.")] = False
    port: Annotated[int | None, typer.Option(help="Serve the live view on this port.")] = None
    device: DeviceOption = None
    log: Annotated[Style | None, typer.Option(help="text; json: one JSON object per line, for a log store.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False

    def with_config_found(self) -> RunOptions:
        """Decide once whether to read config.yaml. A reload after its deletion must not use the defaults."""
        return replace(self, config=DEFAULT_CONFIG) if self.config is None and DEFAULT_CONFIG.exists() else self

    def read(self, secrets: Secrets) -> Config:
        """Return the current configuration, and add its secrets. Raises ConfigError."""
        config = read_config(self.config, validation_context(self.model, has_sources=bool(self.source)))
        config = with_overrides(config, self._changes(config), options=self._options())
        config = with_chosen_model(config)
        secrets.add(config.addresses, config.secrets)
        return config

    def _options(self) -> dict[KeyPath, tuple[str, object]]:
        """Return the given options whose values an error may show, with the keys that they set."""
        given = {("web", "port"): self.port} | {(key,): getattr(self, key) for key in ("model", "device")}
        return {path: (f"--{path[-1]}", value) for path, value in given.items() if value is not None}

    def _changes(self, config: Config) -> dict[str, Any]:
        keys = ("model", "events", "record", "display", "device", "log")
        changes: dict[str, Any] = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        if self.source:
            names = [camera_name(text, index) for index, text in enumerate(self.source)]
            changes["cameras"] = [{"name": name, "source": text} for name, text in zip(names, self.source, strict=True)]
        if self.broker:
            changes["mqtt"] = config.mqtt.with_broker(self.broker)
        if self.no_web or self.port is not None:
            port = {} if self.port is None else {"port": self.port}
            changes["web"] = config.web.model_dump() | {"enabled": not self.no_web} | port
        return changes


def camera_name(source: str, index: int) -> str:
    """Return the name of a camera from the command line, such as `file` for the first and `file2` for the second."""
    kind = "scene" if source.startswith("scene") else "camera" if source.isdecimal() or "://" in source else "file"
    return f"{kind}{index + 1}" if index else kind
