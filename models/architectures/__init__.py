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


def known(name: str) -> str:
    """The file's name for what was typed. Raises UnknownArchitecture, naming those there are; imports nothing."""
    file = name.replace("-", "_")
    if file not in names():
        raise UnknownArchitecture(f"no architecture {name!r}; there are {', '.join(names())}")
    return file


def build(name: str, *, frames: int, height: int, width: int, classes: int) -> keras.Model:
    """Build an untrained model: frames (T, H, W, 3) uint8 -> scores (classes,), its last layer a softmax Dense.

    Raises UnknownArchitecture, naming those there are.
    """
    module = importlib.import_module(f"{__name__}.{known(name)}")
    model: keras.Model = module.build(frames, height, width, classes)
    return model
