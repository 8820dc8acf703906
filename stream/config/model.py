"""The keys of config.yaml as checked, frozen values. Each section has a file of its own beside this one.

The JSON Schema and the comments of config.yaml take each key's description from these files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from harstream.models.box import WHOLE, Box
from harstream.models.catalogue import ModelNotFound, find_model, shipped
from harstream.models.contract import ModelContract
from harstream.stream.config.activities import ActivitiesConfig
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.history import HistoryConfig
from harstream.stream.config.mqtt import MqttConfig
from harstream.stream.config.section import Name, Section, line_error, value_error
from harstream.stream.config.validation_context import ValidationContext, must_exist
from harstream.stream.config.web import WebConfig
from harstream.stream.recognition.views.settings import ViewKind, ViewSettings
from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit, ModelError


class Config(Section):
    """The configuration of `harstream run`. Every key is optional. Command-line options override this file. Secrets:
    ${NAME} is replaced by the environment variable NAME; $${ stands for ${. `!file path` is replaced by the content of
    that file; the path is relative to the folder of this file. In an address, write the characters @ : / ? # % of a
    password as %40 %3A %2F %3F %23 %25."""

    node: Name = Field(
        default="home", description="name of this machine in topics, har/<node>/...; A-Z a-z 0-9 _ -, at most 64"
    )
    model: str = Field(
        default="flow_tcn",
        min_length=1,
        description="a shipped model (flow_tcn, flow_pose, flow_pose_look, lrcn, convlstm), or a folder or .onnx file "
        "that `harstream export` wrote",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: the GPU if there is one, else the CPU; cpu; cuda: the GPU, or an error"
    )
    view: ViewKind | None = Field(
        default=None,
        description="what the model sees: picture: all of it; motion: the box of what moves, for small people in a "
        "still room; person: a box around each person, for several people; null: what the model was made for (motion "
        "for flow_tcn)",
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
        return [*([self.mqtt.broker] if self.mqtt.broker else []), *(camera.source for camera in self.cameras)]

    def view_settings(self, contract: ModelContract, camera: CameraConfig | None = None) -> ViewSettings:
        """Return what a model sees of a camera, or of a camera without settings of its own.

        The camera's `view` is asked first, then that of all cameras, then the model's.
        """
        view = self.view or contract.view
        if camera is None:
            return ViewSettings(view)
        return ViewSettings(camera.view or view, Box(*camera.crop) if camera.crop else WHOLE)

    @property
    def titles(self) -> dict[str, str]:
        """The title of each camera that has one."""
        return {camera.name: camera.title for camera in self.cameras if camera.title}

    @property
    def following(self) -> frozenset[str]:
        """The cameras in front of which each person is followed."""
        return frozenset(each.name for each in self.cameras if (each.view or self.view) == "person")

    @property
    def secrets(self) -> list[str]:
        """Values that are secret as a whole."""
        return [*([self.mqtt.password] if self.mqtt.password else []), *self.web.secrets]

    @field_validator("model")
    @classmethod
    def _check_exists(cls, name: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, ValidationContext) or not must_exist("model", info):
            return name
        try:
            find_model(name)
            info.context.contract_of(name)
        except ModelNotFound:
            made = "or one of `harstream get` or `harstream export`"
            expected = f"expected a shipped model ({', '.join(shipped())}), {made}"
            raise Misfit(expected, repr(name), closest_word(name, shipped())) from None
        except ModelError as error:
            raise Misfit("expected a model that can be opened", f"this: {error}") from error
        return name

    @field_validator("cameras", mode="wrap")
    @classmethod
    def _check_names(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """Report repeated names together with the other mistakes, each at its own position."""
        found = [value_error((index, "name"), _clash(name, earlier)) for index, name, earlier in _repeated_names(value)]
        try:
            cameras = handler(value)
        except ValidationError as error:
            found += [line_error(mistake) for mistake in error.errors()]
        if found:
            raise ValidationError.from_exception_data("cameras", found, hide_input=True)
        return cameras


def _repeated_names(cameras: Any) -> list[tuple[int, str, str]]:
    """Return index and name of each camera that repeats an earlier camera's name, and that name.

    Names that differ only by case, - and _ are equal, because they give the same file of a recording and the same
    entity in Home Assistant.
    """
    if not isinstance(cameras, list | tuple):
        return []
    names = [camera.get("name") if isinstance(camera, dict) else getattr(camera, "name", None) for camera in cameras]
    first: dict[str, str] = {}
    repeated = []
    for index, name in enumerate(names):
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.lower().replace("-", "_"), name)
        if index > names.index(earlier):
            repeated.append((index, name, earlier))
    return repeated


def _clash(name: str, earlier: str) -> Misfit:
    if name == earlier:
        return Misfit("each camera needs a unique name", f"{name!r} again")
    return Misfit("each camera needs a name that differs by more than case, - and _", f"{name!r} beside {earlier!r}")
