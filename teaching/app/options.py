"""What several commands of `harstream teach` share: options, the model to teach, and the check of the extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from harstream.models.contract import ModelContract
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.teaching.examples import EXAMPLES, FEWEST_EXAMPLES, Examples
from harstream.stream.teaching.requirements import missing_extra
from harstream.wire.errors import ConfigError

if TYPE_CHECKING:
    from harstream.stream.recognition.protocols import Engine

KEYS = ("activities", "device", "model", "state", "view")
"""The keys of config.yaml that teaching needs. The others may hold secrets."""
ActivityOption = Annotated[str, typer.Option(help="The name of the activity, such as Cooking.")]
ExamplesOption = Annotated[
    Path | None, typer.Option(help="The folder of the examples. Default: `examples` in the configuration's `state`.")
]

CameraOption = Annotated[
    str | None, typer.Option(help="The camera whose view and crop the model sees. Default: the only one.")
]


def examples_of(folder: Path | None, config: Config) -> Examples:
    return Examples(folder or config.state / EXAMPLES)


def keys_with(camera: str | None) -> tuple[str, ...]:
    """Return the keys of config.yaml to read. Those of cameras may need secrets, so they are read only if needed."""
    return (*KEYS, "cameras") if camera else KEYS


def the_camera(config: Config, name: str | None) -> CameraConfig:
    """Return the camera of this name, or the only one. Raises ConfigError."""
    cameras = {camera.name: camera for camera in config.cameras}
    if name is None and len(cameras) > 1:
        raise ConfigError(f"--camera: expected one of {', '.join(cameras)}, got none")
    if name is not None and name not in cameras:
        raise ConfigError(f"--camera: expected one of {', '.join(cameras)}, got {name!r}")
    return cameras[name] if name else config.cameras[0]


def view_of(config: Config, contract: ModelContract, camera: str | None) -> ViewSettings:
    """Return what the model sees of the camera, or of all cameras without a view of their own. Raises ConfigError."""
    return config.view_settings(contract, the_camera(config, camera) if camera else None)


def view_line(view: ViewSettings) -> str:
    """Return a line about what the model sees of the examples, for the console."""
    return f"the examples are seen with view: {view.kind}"


def how_many(kept: Examples, activity: str) -> str:
    """Return a line about the examples of an activity, for the console."""
    number = len(kept.of(activity))
    missing = f"; {FEWEST_EXAMPLES - number} more are needed" if number < FEWEST_EXAMPLES else ""
    return f"{escape(activity)} has {number} examples in {escape(str(kept.folder))}{missing}"


def check_extra() -> None:
    """Raises ConfigError without the extra `teach`, before anything takes its time."""
    if missing := missing_extra():
        raise ConfigError(missing)


def open_base(config: Config, model: str | None) -> tuple[Engine, str]:
    """Open the model to teach: the given one, or the configuration's, or the one that this was taught on.

    Returns also its name or path. Raises ConfigError and ModelError.
    """
    from harstream.models.catalogue import ModelNotFound
    from harstream.stream.recognition.onnx_runtime import load_engine
    from harstream.stream.teaching.requirements import base_files
    from harstream.stream.teaching.taught_folder import taught_on

    if model and (earlier := taught_on(model)):
        raise ConfigError(f"--model: {model} was taught on {earlier}: give --model {earlier}, all examples count again")
    base = model or taught_on(config.model) or config.model
    try:
        base_files(base)
    except ModelNotFound as error:
        raise ConfigError(f"--model: {error}") from error
    return load_engine(base, config.device), base
