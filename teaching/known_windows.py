"""The file beside a model with features of the footage that it was trained on, for "nothing of these"."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.resilience.whole_file import write_whole
from harstream.wire.errors import ModelError

FILE = "known_windows.npz"


def read_known_windows(files: ModelFiles) -> NDArray[np.float32] | None:
    """Return features (N, D) of background and of the shipped activities. None if the model has no such file.

    Raises ModelError if the file is broken, or is of another model.
    """
    path = files.folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            features: NDArray[np.float32] = stored["features"].astype(np.float32)
            model = str(stored["model"])
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        raise ModelError(f"expected features of known footage in {path}, got a broken file: remove it") from error
    if model != rows_hash(files) or features.ndim != 2 or not np.isfinite(features).all():
        raise ModelError(f"{path} is of another model than the one beside it: remove it, or make it again")
    return features


def write_known_windows(files: ModelFiles, features: NDArray[np.float32]) -> Path:
    """Write features (N, D) beside the model, with 16 bits each. Raises OSError."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, features=features.astype(np.float16), model=np.array(rows_hash(files)))
    path = files.folder / FILE
    write_whole(path, buffer.getvalue())
    return path


def rows_hash(files: ModelFiles) -> str:
    """Return the hash of encoder and head, on which features depend."""
    digest = hashlib.sha256()
    for file in filter(None, (files.encoder, files.head)):
        digest.update(file.read_bytes())
    return digest.hexdigest()
