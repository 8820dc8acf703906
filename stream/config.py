"""What an operator may set: config.yaml as checked, frozen values."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from stream.connection import BrokerAddress
from stream.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CameraConfig(_Section):
    name: Name
    source: Annotated[str, Field(min_length=1)]
    area: str | None = None

    @field_validator("source", mode="before")
    @classmethod
    def _index_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class MqttConfig(_Section):
    broker: str | None = None
    embedded_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    observations: bool = True
    discovery: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] | None = "homeassistant"

    @field_validator("discovery", mode="before")
    @classmethod
    def _off_is_none(cls, value: Any) -> Any:
        return None if value is False else value

    @field_validator("broker")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                BrokerAddress.parse(value)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return value


class WebConfig(_Section):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8080


class HistoryConfig(_Section):
    enabled: bool = True
    days: Annotated[float, Field(gt=0, le=36500)] = 30.0


class Thresholds(_Section):
    start_above: Share
    end_below: Share

    @model_validator(mode="after")
    def _ordered(self) -> Thresholds:
        if self.end_below > self.start_above:
            raise ValueError("end_below must not be above start_above")
        return self


class ActivitiesConfig(_Section):
    start_above: Share | None = None
    end_below: Share | None = None
    smoothing: Seconds = 0.5
    hold: Seconds = 1.0
    gone: Seconds = 1.5
    merge: Seconds = 2.0
    update: Seconds = 5.0
    max_duration: Annotated[float, Field(gt=0)] = 3600.0
    overrides: dict[str, Thresholds] = {}


class Config(_Section):
    node: Name = "home"
    model: Annotated[str, Field(min_length=1)] = "flow_tcn"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    stride: Annotated[int, Field(ge=1, le=100)] = 1
    cameras: Annotated[tuple[CameraConfig, ...], Field(min_length=1)] = (CameraConfig(name="camera", source="0"),)
    mqtt: MqttConfig = MqttConfig()
    web: WebConfig = WebConfig()
    display: bool = False
    record: Path | None = None
    events: Path | None = None
    state: Path = Path("harstream-state")
    history: HistoryConfig = HistoryConfig()
    activities: ActivitiesConfig = ActivitiesConfig()

    @field_validator("cameras")
    @classmethod
    def _names_differ(cls, cameras: tuple[CameraConfig, ...]) -> tuple[CameraConfig, ...]:
        names = [camera.name for camera in cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each camera needs a name of its own; twice: {', '.join(twice)}")
        return cameras


def load_config(file: Path) -> Config:
    """Read and check a config file. Raises ConfigError with every mistake, each with its line."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {file}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(_not_yaml(file, error)) from error
    except ValueError as error:  # of a scalar, such as the 13th month
        raise ConfigError(f"{file} is not valid YAML: {error}") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{file} must hold keys and values (see the config.yaml that came with harstream)")
    unset: list[str] = []
    values = _with_environment(values or {}, unset)
    if unset:
        raise ConfigError(f"{file} names environment variables that are not set: {', '.join(unset)}")
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_mistakes(file, tree, error))) from error


def overridden(config: Config, values: dict[str, Any]) -> Config:
    """The config with the options of the command line in it. Raises ConfigError."""
    try:
        return Config.model_validate(config.model_dump() | values)
    except ValidationError as error:
        raise ConfigError("; ".join(_told(mistake) for mistake in _made(error))) from error


def _mistakes(file: Path, tree: yaml.Node | None, error: ValidationError) -> list[str]:
    """One line each, in the order of the file."""
    lines = sorted((_line(tree, mistake["loc"]), _told(mistake)) for mistake in _made(error))
    return [f"{file}:{line}: {text}" for line, text in lines]


def _made(error: ValidationError) -> list[ErrorDetails]:
    """Without those that follow from others: a list whose items are wrong counts as too short as well."""
    found = error.errors(include_input=False, include_url=False)
    deep = {mistake["loc"][:depth] for mistake in found for depth in range(len(mistake["loc"]))}
    return [mistake for mistake in found if mistake["loc"] not in deep]


def _told(mistake: ErrorDetails) -> str:
    return f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg'].removeprefix('Value error, ')}"


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of `path` that the file has."""
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _with_environment(value: Any, unset: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _with_environment(item, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_environment(item, unset) for item in value]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            unset.append(name)
        return os.environ.get(name, "")

    return re.sub(r"\$\{(\w+)\}", replaced, value)


def _not_yaml(file: Path, error: yaml.YAMLError) -> str:
    """PyYAML's own text repeats the line that it could not read, and the password in it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{file}:{error.problem_mark.line + 1}: not valid YAML: {error.problem}"
    return f"{file} is not valid YAML"
