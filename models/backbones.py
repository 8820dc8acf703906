"""Backbones of keras.applications: untrained, with the weights that Keras downloads, or with those of a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from harstream.models.architectures import CannotBuild

IMAGENET = "imagenet"


def backbone(application: Callable[..., keras.Model], weights: str | None, height: int, width: int) -> keras.Model:
    """A model from frames (H, W, 3), levels 0 to 255, to features (F,); `weights` is IMAGENET, a file, or None.

    With weights it is frozen: few clips teach a head, and would spoil a backbone.
    Raises CannotBuild if the weights cannot be had or do not fit.
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
            warnings.simplefilter("ignore")  # that weights learned at 224x224 are taken, which is as it should be
            return built()
    except Exception as error:  # Keras has no class of its own for a download that failed
        raise CannotBuild(
            f"expected the ImageNet weights of {name}, they could not be downloaded ({_first_line(error)}): fetch that "
            "file where there is a network, and give it with --weights FILE"
        ) from error


def _load(model: keras.Model, file: Path) -> None:
    if not file.is_file():
        raise CannotBuild(f"expected weights of {model.name}: {IMAGENET}, none or a file; found no file {file}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each of a hundred layers, before the error that says it all
            model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise CannotBuild(
            f"{file} holds no weights of {model.name} without its top, as keras.applications and "
            f"`save_weights` write them: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
