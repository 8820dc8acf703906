"""One Keras builder per file: `build(frames, height, width, classes)`. A new architecture is a new file here.

A builder with a backbone takes `weights`, too: the name of weights that Keras downloads, a file of weights, or None.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


class UnknownArchitecture(ValueError):
    """There is no file of that name in models/architectures."""


class CannotBuild(ValueError):
    """An architecture does not support the input or the weights that were asked for."""


def names() -> tuple[str, ...]:
    """Return the names of all architectures, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def known(name: str) -> str:
    """Return the file's name for a typed name. Raises UnknownArchitecture, which lists the names; imports nothing."""
    file = name.replace("-", "_")
    if file not in names():
        raise UnknownArchitecture(f"no architecture {name!r}; there are {', '.join(names())}")
    return file


def build(name: str, *, frames: int, height: int, width: int, classes: int, weights: str | None = None) -> keras.Model:
    """Build an untrained model: frames (T, H, W, 3) uint8 -> scores (classes,), its last layer a softmax Dense.

    A backbone, if it has one, starts with `weights` and is frozen then. Raises UnknownArchitecture and CannotBuild.
    """
    module = importlib.import_module(f"{__name__}.{known(name)}")
    has_backbone = "weights" in inspect.signature(module.build).parameters
    if weights is not None and not has_backbone:
        raise CannotBuild(f"{known(name)} has no backbone that takes weights: leave out --weights, or see --start-from")
    more = {"weights": weights} if has_backbone else {}
    try:
        model: keras.Model = module.build(frames, height, width, classes, **more)
    except CannotBuild:
        raise
    except ValueError as error:  # Keras raises it for a layer that has no pixels left
        raise CannotBuild(
            f"{known(name)} cannot be built for {frames} frames of {width}x{height} pixels, larger ones may do: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return model
