"""Finds the architectures. Each file here has one Keras builder: `build(frames, height, width, classes)`.

To add an architecture, add a file. A builder with a backbone also takes `weights`: a name, a file, or None.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


class UnknownArchitecture(ValueError):
    """There is no file with that name in models/architectures."""


class CannotBuild(ValueError):
    """An architecture does not support the wanted input or weights."""


def names() -> tuple[str, ...]:
    """Return the names of all architectures, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def module_name(name: str) -> str:
    """Return the module's name for a name that may contain `-`. Raises UnknownArchitecture, which lists all names."""
    file = name.replace("-", "_")
    if file not in names():
        raise UnknownArchitecture(f"no architecture {name!r}; there are {', '.join(names())}")
    return file


def build(name: str, *, frames: int, height: int, width: int, classes: int, weights: str | None = None) -> keras.Model:
    """Build an untrained model: frames (T, H, W, 3) uint8 -> scores (classes,). Its last layer is a softmax Dense.

    A backbone with `weights` is frozen. Raises UnknownArchitecture and CannotBuild.
    """
    module = importlib.import_module(f"{__name__}.{module_name(name)}")
    has_backbone = "weights" in inspect.signature(module.build).parameters
    if weights is not None and not has_backbone:
        raise CannotBuild(
            f"{module_name(name)} has no backbone that takes weights: leave out --weights, or see --start-from"
        )
    more = {"weights": weights} if has_backbone else {}
    try:
        model: keras.Model = module.build(frames, height, width, classes, **more)
    except CannotBuild:
        raise
    except ValueError as error:  # Keras raises it if no pixels are left for a layer
        raise CannotBuild(
            f"{module_name(name)} cannot be built for {frames} frames of {width}x{height} pixels, try larger ones: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return model
