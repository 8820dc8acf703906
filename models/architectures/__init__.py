"""One Keras builder a file: `build(frames, height, width, classes)`. A new architecture is a new file here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


class UnknownArchitecture(ValueError):
    """No file of that name in models/architectures."""


def names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def build(name: str, *, frames: int, height: int, width: int, classes: int) -> keras.Model:
    """Build an untrained model: frames (T, H, W, 3) uint8 -> scores (classes,), its last layer a softmax Dense.

    Raises UnknownArchitecture, naming those there are.
    """
    name = name.replace("-", "_")
    if name not in names():
        raise UnknownArchitecture(f"no architecture {name!r}; there are {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    model: keras.Model = module.build(frames, height, width, classes)
    return model
