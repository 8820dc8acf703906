"""What several commands of `harstream teach` share: options, the model to teach, and the check of the extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harstream.stream.config.model import Config
from harstream.teaching.examples import Examples
from harstream.wire.errors import ConfigError

if TYPE_CHECKING:
    from harstream.stream.recognition.protocols import Engine

KEYS = ("activities", "device", "model", "state", "view")
"""The keys of config.yaml that teaching needs. The others may hold secrets."""
ActivityOption = Annotated[str, typer.Option(help="The name of the activity, such as Cooking.")]
ExamplesOption = Annotated[
    Path | None, typer.Option(help="The folder of the examples. Default: `examples` in the configuration's `state`.")
]


def examples_of(folder: Path | None, config: Config) -> Examples:
    return Examples(folder or config.state / "examples")


def check_extra() -> None:
    """Raises ConfigError without the extra `teach`, before anything takes its time."""
    try:
        import onnx  # noqa: F401
        import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        raise ConfigError(f"teaching needs {missing}, which is not installed: pip install 'harstream[teach]'") from None


def open_base(config: Config, model: str | None) -> tuple[Engine, str]:
    """Open the model to teach: the given one, or the configuration's, or the one that this was taught on.

    Returns also its name or path. Raises ConfigError and ModelError.
    """
    from harstream.models.catalogue import ModelNotFound
    from harstream.stream.recognition.onnx_runtime import load_engine
    from harstream.teaching.taught_model import base_files, taught_on

    if model and (earlier := taught_on(model)):
        raise ConfigError(f"--model: {model} was taught on {earlier}: give --model {earlier}, all examples count again")
    base = model or taught_on(config.model) or config.model
    try:
        base_files(base)
    except ModelNotFound as error:
        raise ConfigError(f"--model: {error}") from error
    return load_engine(base, config.device), base
