"""What an operator may set: config.yaml as checked, frozen values.

The description of each key is what the JSON Schema and the comments of config.yaml say of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import InitErrorDetails

from harstream.models.catalogue import ModelNotFound, find_model, shipped
from harstream.models.contract import ModelContract
from harstream.mqtt.connection import BrokerAddress
from harstream.stream.sources.address import VideoFile, parse_source
from harstream.wire.did_you_mean import closest
from harstream.wire.errors import Misfit, ModelError


@dataclass(frozen=True)
class Surroundings:
    """What a configuration can be checked against beyond itself: pydantic's context."""

    contract_of: Callable[[str], ModelContract]
    """Of the model of that name or path. Raises ModelError."""
    must_exist: frozenset[str] = frozenset()
    """`model`, `cameras`: those whose files must be there."""
    model: str = ""

    def contract(self) -> ModelContract | None:
        """None where the model cannot be opened: that is a mistake of its own."""
        try:
            return self.contract_of(self.model)
        except ModelError:
            return None


def _index_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known_activity(name: str, info: ValidationInfo) -> str:
    contract = _contract(info)
    if contract and name not in contract.activities:
        known = ", ".join(contract.activities)
        raise Misfit(f"model {contract.name} knows {known}", repr(name), closest(name, contract.activities))
    return name


def _contract(info: ValidationInfo) -> ModelContract | None:
    return info.context.contract() if isinstance(info.context, Surroundings) else None


def _must_exist(key: str, info: ValidationInfo) -> bool:
    return isinstance(info.context, Surroundings) and key in info.context.must_exist


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Duration = Annotated[float, Field(gt=0)]
"""In seconds."""
Port = Annotated[int, Field(ge=0, le=65535)]
SourceText = Annotated[str, BeforeValidator(_index_as_text, json_schema_input_type=str | int)]
Activity = Annotated[str, AfterValidator(_known_activity)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Overrides(_Section):
    """Of the lifecycle of activities; what is null stays as it is without them."""

    start_above: Share | None = Field(default=None, description="on the smoothed score")
    end_below: Share | None = Field(default=None, description="beside start_above only; null: in proportion to it")
    hold: Seconds | None = Field(default=None, description="supported for so long to start")
    gone: Seconds | None = Field(default=None, description="below end_below for so long, it needs start_above to go on")
    merge: Seconds | None = Field(default=None, description="again within this time is one event")
    update: Seconds | None = Field(default=None, description="at most one update event in this time")
    max_duration: Duration | None = Field(default=None, description="longer ones are ended and started anew")

    @field_validator("end_below")
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        if info.data["start_above"] is None:
            raise Misfit("expected start_above beside end_below", "end_below alone")
        return _not_above("start_above", info.data["start_above"], value)


class CameraActivities(Overrides):
    overrides: dict[Activity, Overrides] = Field(default={}, description="of single activities, before this camera")


class CameraConfig(_Section):
    name: Name = Field(description="used in topics, like the node's")
    source: SourceText = Field(
        description="a webcam's index, rtsp://user:password@host/path, a video file, or scene (the demo)"
    )
    area: str | None = Field(default=None, description="the room, for the smart home")
    activities: CameraActivities | None = Field(
        default=None, description="where they differ from those below, e.g. {start_above: 0.9, hold: 3}"
    )

    @field_validator("source")
    @classmethod
    def _is_there(cls, text: str, info: ValidationInfo) -> str:
        source = parse_source(text)
        if isinstance(source, VideoFile) and _must_exist("cameras", info):
            source.must_exist()
        return text


class MqttConfig(_Section):
    broker: str | None = Field(
        default=None, description="mqtt://user:password@host:1883 or mqtts://...; null: one of our own on 127.0.0.1"
    )
    embedded_port: int = Field(default=1883, ge=1, le=65535, description="where our own listens")
    observations: bool = Field(default=True, description="publish each recognition's full probabilities, too")
    snapshots: bool = Field(
        default=False, description="leave a picture of each activity's start at the broker, for whoever may read there"
    )
    discovery: str | None = Field(
        default="homeassistant",
        description="Home Assistant's discovery prefix, by which it finds the cameras; null: it does not",
    )

    @field_validator("discovery")
    @classmethod
    def _is_prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
            raise Misfit("expected Home Assistant's discovery prefix, such as homeassistant, or null", repr(value))
        return value

    @field_validator("broker")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None:
            BrokerAddress.parse(value)
        return value

    @property
    def url(self) -> str:
        """Where clients on this machine find the broker; may hold a password."""
        return self.broker or f"mqtt://127.0.0.1:{self.embedded_port}"


class WebConfig(_Section):
    enabled: bool = Field(default=True, description="the live view")
    host: str = Field(default="127.0.0.1", description="0.0.0.0 lets other machines look: there is no login")
    port: Port = Field(default=8080, description="0: any that is free")
    control: bool | None = Field(
        default=None, description="may cameras be switched off from it? null: only where host is this machine alone"
    )


class HistoryConfig(_Section):
    enabled: bool = Field(
        default=True, description="without it, an activity that a killed run left open is never told to have ended"
    )
    days: float = Field(default=30.0, gt=0, le=36500, description="older activities are forgotten")


class ActivitiesConfig(_Section):
    start_above: Share | None = Field(default=None, description="null: the model's own threshold")
    end_below: Share | None = Field(default=None, description="null: 0.625 times start_above")
    smoothing: Seconds = Field(default=0.5, description="memory of the exponential mean")
    hold: Seconds = Field(default=1.0, description="supported for so long to start")
    gone: Seconds = Field(default=1.5, description="below end_below for so long, it needs start_above to go on")
    merge: Seconds = Field(default=2.0, description="the same activity again within this time is one event")
    update: Seconds = Field(default=5.0, description="at most one update event in this time")
    max_duration: Duration = Field(default=3600.0, description="longer ones are ended and started anew")
    overrides: dict[Activity, Overrides] = Field(
        default={}, description="of single activities, e.g. PushUps: {start_above: 0.7, hold: 3}"
    )

    @field_validator("end_below")
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        start_above, contract = info.data["start_above"], _contract(info)
        if start_above is None and contract:
            own = contract.unknown_threshold
            return _not_above(f"the threshold of model {contract.name} ({own:g})", own, value)
        return _not_above("start_above", start_above, value)


class Config(_Section):
    """What harstream does when you type `harstream run`. Every key may be left out. Options on the command line win
    over this file. Secrets: ${NAME} anywhere is replaced by the environment variable NAME ($${ is a plain ${), and
    `!file path` by what is in that file, looked for from this one's folder. In an address, @ : / ? # of a password are
    written %40 %3A %2F %3F %23."""

    node: Name = Field(
        default="home", description="names this machine in topics: har/<node>/...; [A-Za-z0-9_-], at most 64"
    )
    model: str = Field(
        default="flow_tcn",
        min_length=1,
        description="a shipped model (flow_tcn, lrcn, convlstm, cctv_fight), or a folder or .onnx file made by "
        "`harstream export`",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: the GPU where there is one; cpu; cuda: the GPU or an error"
    )
    stride: int = Field(
        default=1, ge=1, le=100, description="recognize at every so manieth frame of the model's time grid"
    )
    cameras: tuple[CameraConfig, ...] = Field(
        default=(CameraConfig(name="camera", source="0"),), min_length=1, description="one entry a camera"
    )
    mqtt: MqttConfig = Field(default=MqttConfig(), description="to whom events are published")
    web: WebConfig = Field(default=WebConfig(), description="the page that shows what the cameras see")
    display: bool = Field(default=False, description="an OpenCV window on this machine's screen")
    record: Path | None = Field(default=None, description="write the annotated video to this file (.mp4)")
    events: Path | None = Field(default=None, description="append events as JSON lines to this file")
    state: Path = Field(
        default=Path("harstream-state"),
        description="folder for what must survive a restart: unsent events, the MQTT client id, the history",
    )
    log: Literal["text", "json"] = Field(
        default="text", description="json: one object a line, for a log store, and nothing else is printed"
    )
    history: HistoryConfig = Field(
        default=HistoryConfig(), description="what happened, for `harstream history` and the live view; no pictures"
    )
    activities: ActivitiesConfig = Field(
        default=ActivitiesConfig(),
        description="when an activity starts and ends; seconds, and thresholds on the smoothed score",
    )

    @field_validator("model")
    @classmethod
    def _is_there(cls, name: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, Surroundings) or "model" not in info.context.must_exist:
            return name
        try:
            find_model(name)
            info.context.contract_of(name)
        except ModelNotFound:
            expected = f"expected a shipped model ({', '.join(shipped())}), or one made by `harstream export`"
            raise Misfit(expected, repr(name), closest(name, shipped())) from None
        except ModelError as error:
            raise Misfit("expected a model that can be opened", f"this: {error}") from error
        return name

    @field_validator("cameras", mode="wrap")
    @classmethod
    def _names_differ(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """Beside what else is wrong with them, each at its name."""
        found = [_repeated(index, name) for index, name in _repeated_names(value)]
        try:
            cameras = handler(value)
        except ValidationError as error:
            found += [_again(mistake) for mistake in error.errors()]
        if found:
            raise ValidationError.from_exception_data("cameras", found, hide_input=True)
        return cameras


def _not_above(limit: str, start_above: float | None, end_below: float) -> float:
    if start_above is not None and end_below > start_above:
        raise Misfit(f"expected end_below not above {limit}", f"{end_below:g}")
    return end_below


def _repeated_names(cameras: Any) -> list[tuple[int, object]]:
    """Index and name of those whose name another has before them."""
    if not isinstance(cameras, list | tuple):
        return []
    names = [camera.get("name") if isinstance(camera, dict) else getattr(camera, "name", None) for camera in cameras]
    return [(index, name) for index, name in enumerate(names) if name is not None and name in names[:index]]


def _repeated(index: int, name: object) -> InitErrorDetails:
    misfit = Misfit("each camera needs a name of its own", f"{name!r} again")
    return InitErrorDetails(type="value_error", loc=(index, "name"), input=name, ctx={"error": misfit})


def _again(mistake: Any) -> InitErrorDetails:
    return InitErrorDetails(
        type=mistake["type"], loc=mistake["loc"], input=mistake["input"], ctx=mistake.get("ctx", {})
    )  # fmt: skip
