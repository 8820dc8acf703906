"""Builds backbones of keras.applications: untrained, or with weights from a download or a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from harstream.models.architectures import CannotBuild

IMAGENET = "imagenet"


def backbone(application: Callable[..., keras.Model], weights: str | None, height: int, width: int) -> keras.Model:
    """Build a model that turns frames (H, W, 3), levels 0 to 255, into features (F,).

    `weights`: IMAGENET, a file, or None. A model with weights is frozen, because few clips can train a head, but
    would spoil a backbone. Raises CannotBuild if the weights are not available or do not fit.
    """

    def built(weights: str | None) -> keras.Model:
        return application(input_shape=(height, width, 3), include_top=False, pooling="avg", weights=weights)

    model = built(None)
    if weights is None:
        return model
    if weights == IMAGENET:
        model = _downloaded(lambda: built(IMAGENET), model.name)
    else:
        _load(model, Path(weights))
    model.trainable = False
    return model


def _downloaded(built: Callable[[], keras.Model], name: str) -> keras.Model:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns that the weights were learned at 224x224
            return built()
    except Exception as error:  # Keras has no class for a failed download
        raise CannotBuild(
            f"expected the ImageNet weights of {name}, but the download failed ({_first_line(error)}): fetch that "
            "file on a machine with a network, and give it with --weights FILE"
        ) from error


def _load(model: keras.Model, file: Path) -> None:
    if not file.is_file():
        raise CannotBuild(f"expected {IMAGENET}, none or a file with weights of {model.name}; found no file {file}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns about each layer before it raises
            model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise CannotBuild(
            f"expected weights of {model.name} without its top in {file}, as keras.applications and "
            f"`save_weights` write them: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
