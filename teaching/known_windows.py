"""The file beside a model with features of the footage that it was trained on, for "nothing of these"."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.resilience.whole_file import write_whole
from harstream.wire.errors import ModelError

FILE = "known_windows.npz"


@dataclass(frozen=True, eq=False)
class KnownWindows:
    """Features of windows that a model was trained on: of its activities, and of background."""

    features: NDArray[np.float32]
    """(N, D)"""
    classes: tuple[str, ...]
    """The class of each window: one of the model's labels, or a kind of background."""

    def without(self, classes: Collection[str]) -> KnownWindows:
        kept = np.array([name not in classes for name in self.classes])
        return KnownWindows(self.features[kept], tuple(name for name in self.classes if name not in classes))


def read_known_windows(files: ModelFiles) -> KnownWindows | None:
    """Return the windows of the file beside a model. None if the model has no such file.

    Raises ModelError if the file is broken, or is of another model.
    """
    path = files.folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            features: NDArray[np.float32] = stored["features"].astype(np.float32)
            model, classes = str(stored["model"]), tuple(map(str, stored["classes"]))
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        raise ModelError(f"expected features of known footage in {path}, got a broken file: remove it") from error
    if model != rows_hash(files) or features.shape[:1] != (len(classes),) or not np.isfinite(features).all():
        raise ModelError(f"{path} is of another model than the one beside it: remove it, or make it again")
    return KnownWindows(features, classes)


def write_known_windows(files: ModelFiles, known: KnownWindows) -> Path:
    """Write windows beside the model, with 16 bits for each feature. Raises OSError."""
    buffer = io.BytesIO()
    features, classes = known.features.astype(np.float16), np.array(known.classes)
    np.savez_compressed(buffer, features=features, classes=classes, model=np.array(rows_hash(files)))
    path = files.folder / FILE
    write_whole(path, buffer.getvalue())
    return path


def rows_hash(files: ModelFiles) -> str:
    """Return the hash of encoder and head, on which features depend."""
    digest = hashlib.sha256()
    for file in filter(None, (files.encoder, files.head)):
        digest.update(file.read_bytes())
    return digest.hexdigest()
