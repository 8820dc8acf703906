"""The keys of config.yaml as checked, frozen values.

The JSON Schema and the comments of config.yaml take each key's description from this module.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    create_model,
    field_validator,
)
from pydantic_core import InitErrorDetails

from harstream.models.catalogue import ModelNotFound, find_model, shipped
from harstream.mqtt.address import BrokerAddress
from harstream.stream.config.validation_context import ValidationContext, contract_in, must_exist
from harstream.stream.recognition.smoothing import SMOOTHING
from harstream.stream.recognition.tracker_settings import declared
from harstream.stream.sources.address import VideoFile, parse_source
from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit, ModelError


def _index_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known_activity(name: str, info: ValidationInfo) -> str:
    contract = contract_in(info)
    if contract and name not in contract.activities:
        known = ", ".join(contract.activities)
        raise Misfit(f"model {contract.name} knows {known}", repr(name), closest_word(name, contract.activities))
    return name


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

Seconds = Annotated[float, Field(ge=0, le=86400)]
Port = Annotated[int, Field(ge=0, le=65535)]
SourceText = Annotated[str, BeforeValidator(_index_as_text, json_schema_input_type=str | int)]
Activity = Annotated[str, AfterValidator(_known_activity)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _settings_section(name: str, *, has_defaults: bool) -> type[_Section]:
    """Make a section of the seven tracker settings. Without defaults, each may be null, which changes nothing."""
    made: dict[str, Any] = {}
    for key, setting in declared().items():
        limits = setting.limits
        number = Annotated[float, Field(gt=limits.above, ge=limits.at_least, le=limits.at_most)]
        default = setting.default if has_defaults else None
        text = f"{limits.description}; null: {limits.when_null}" if has_defaults and default is None else None
        field = Field(default=default, description=text or limits.description)
        made[key] = (number if default is not None else number | None, field)
    return create_model(name, __base__=_Section, **made)


if TYPE_CHECKING:  # mypy does not know classes that are created at run time

    class _Settings(_Section): ...

    class _Changes(_Section): ...

else:
    _Settings = _settings_section("_Settings", has_defaults=True)
    _Changes = _settings_section("_Changes", has_defaults=False)


class Overrides(_Changes):
    """Tracker settings that differ from the general ones. null keeps a value; end_below needs start_above beside it."""

    @field_validator("end_below", check_fields=False)
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        if info.data["start_above"] is None:
            raise Misfit("expected start_above beside end_below", "end_below alone")
        return _not_above("start_above", info.data["start_above"], value)

    def changes(self) -> dict[str, Any]:
        """Return the settings that are not null, by name."""
        return self.model_dump(include=set(declared()), exclude_none=True)


class CameraActivities(Overrides):
    overrides: dict[Activity, Overrides] = Field(
        default={}, description="other settings for single activities in front of this camera"
    )


class CameraConfig(_Section):
    name: Name = Field(description="part of the topics, like node")
    source: SourceText = Field(
        description="a webcam's index, rtsp://user:password@host/path, a video file, or scene (the demo)"
    )
    area: str | None = Field(default=None, description="the room that the camera watches, for the smart home")
    activities: CameraActivities | None = Field(
        default=None, description="settings that differ from `activities` below, e.g. {start_above: 0.9, hold: 3}"
    )

    @field_validator("source")
    @classmethod
    def _check_exists(cls, text: str, info: ValidationInfo) -> str:
        source = parse_source(text)
        if isinstance(source, VideoFile) and must_exist("cameras", info):
            source.check_exists()
        return text


class MqttConfig(_Section):
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


class WebConfig(_Section):
    enabled: bool = Field(default=True, description="serve the live view")
    host: str = Field(default="127.0.0.1", description="0.0.0.0 shows the page to other machines; it has no login")
    port: Port = Field(default=8080, description="port of the page; 0: any free port")
    control: bool | None = Field(
        default=None, description="the page may change settings; null: only if host is this machine (loopback)"
    )


class HistoryConfig(_Section):
    enabled: bool = Field(
        default=True,
        description="store past activities; without them, a kill leaves an open activity without an end event",
    )
    days: float = Field(default=30.0, gt=0, le=36500, description="older activities are deleted")


class ActivitiesConfig(_Settings):
    smoothing: Seconds = Field(
        default=SMOOTHING, description="time constant of the exponential mean over the scores, in seconds"
    )
    overrides: dict[Activity, Overrides] = Field(
        default={}, description="other settings for single activities, e.g. {PushUps: {start_above: 0.7, hold: 3}}"
    )

    @field_validator("end_below", check_fields=False)
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        start_above, contract = info.data["start_above"], contract_in(info)
        if start_above is None and contract:
            own = contract.unknown_threshold
            return _not_above(f"the threshold of model {contract.name} ({own:g})", own, value)
        return _not_above("start_above", start_above, value)

    def settings(self) -> dict[str, Any]:
        """Return the tracker settings that are not null, by name."""
        return self.model_dump(include=set(declared()), exclude_none=True)


class Config(_Section):
    """The configuration of `harstream run`. Every key is optional. Command-line options override this file. Secrets:
    ${NAME} is replaced by the environment variable NAME; $${ stands for ${. `!file path` is replaced by the content of
    that file; the path is relative to the folder of this file. In an address, write the characters @ : / ? # of a
    password as %40 %3A %2F %3F %23."""

    node: Name = Field(
        default="home", description="name of this machine in topics, har/<node>/...; A-Z a-z 0-9 _ -, at most 64"
    )
    model: str = Field(
        default="flow_tcn",
        min_length=1,
        description="a shipped model (flow_tcn, lrcn, convlstm, cctv_fight), or a folder or .onnx file that "
        "`harstream export` wrote",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: the GPU if there is one, else the CPU; cpu; cuda: the GPU, or an error"
    )
    stride: int = Field(default=1, ge=1, le=100, description="score every n-th frame of the model's time grid")
    cameras: tuple[CameraConfig, ...] = Field(
        default=(CameraConfig(name="camera", source="0"),), min_length=1, description="one entry per camera"
    )
    mqtt: MqttConfig = Field(default=MqttConfig(), description="where events are published")
    web: WebConfig = Field(default=WebConfig(), description="the page that shows the cameras and their activities")
    display: bool = Field(default=False, description="open a window per camera on this machine's screen")
    record: Path | None = Field(default=None, description="write the annotated video to this file (.mp4)")
    events: Path | None = Field(default=None, description="append events as JSON lines to this file")
    state: Path = Field(
        default=Path("harstream-state"),
        description="folder for data that survives a restart: unsent events, the MQTT client id, the history",
    )
    log: Literal["text", "json"] = Field(
        default="text", description="text; json: one JSON object per line, for a log store"
    )
    history: HistoryConfig = Field(
        default=HistoryConfig(), description="past activities, for `harstream history` and the live view; no pictures"
    )
    activities: ActivitiesConfig = Field(
        default=ActivitiesConfig(),
        description="when activities start and end: thresholds on the smoothed score (0 to 1), times in seconds",
    )

    @property
    def addresses(self) -> list[str]:
        """The addresses of cameras and broker. They may contain passwords."""
        return [self.mqtt.url, *(camera.source for camera in self.cameras)]

    @field_validator("model")
    @classmethod
    def _check_exists(cls, name: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, ValidationContext) or not must_exist("model", info):
            return name
        try:
            find_model(name)
            info.context.contract_of(name)
        except ModelNotFound:
            expected = f"expected a shipped model ({', '.join(shipped())}), or one made by `harstream export`"
            raise Misfit(expected, repr(name), closest_word(name, shipped())) from None
        except ModelError as error:
            raise Misfit("expected a model that can be opened", f"this: {error}") from error
        return name

    @field_validator("cameras", mode="wrap")
    @classmethod
    def _check_names(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """Report repeated names together with the other mistakes, each at its own position."""
        found = [_repeated_name_error(index, name) for index, name in _repeated_names(value)]
        try:
            cameras = handler(value)
        except ValidationError as error:
            found += [_line_error(mistake) for mistake in error.errors()]
        if found:
            raise ValidationError.from_exception_data("cameras", found, hide_input=True)
        return cameras


def _not_above(limit: str, start_above: float | None, end_below: float) -> float:
    if start_above is not None and end_below > start_above:
        raise Misfit(f"expected end_below not above {limit}", f"{end_below:g}")
    return end_below


def _repeated_names(cameras: Any) -> list[tuple[int, object]]:
    """Return index and name of each camera that repeats an earlier camera's name."""
    if not isinstance(cameras, list | tuple):
        return []
    names = [camera.get("name") if isinstance(camera, dict) else getattr(camera, "name", None) for camera in cameras]
    return [(index, name) for index, name in enumerate(names) if name is not None and name in names[:index]]


def _repeated_name_error(index: int, name: object) -> InitErrorDetails:
    misfit = Misfit("each camera needs a unique name", f"{name!r} again")
    return InitErrorDetails(type="value_error", loc=(index, "name"), input=name, ctx={"error": misfit})


def _line_error(mistake: Any) -> InitErrorDetails:
    return InitErrorDetails(
        type=mistake["type"], loc=mistake["loc"], input=mistake["input"], ctx=mistake.get("ctx", {})
    )  # fmt: skip
