"""Finds a model by the name of a shipped one, or by a path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

WHOLE, ENCODER, HEAD = "model.onnx", "encoder.onnx", "head.onnx"
LITE = "model.tflite"
HISTORY = "history.csv"
NOT_VALIDATED = "NA"
"""What Keras's CSVLogger writes into the history for an epoch without validation."""
TRAINED = Path(__file__).parent / "trained"
PERSON_DETECTOR = Path(__file__).parent / "people" / "movenet_multipose.onnx"
"""The network that finds people. It was trained elsewhere and has no contract; see CARD.md beside it."""


class ModelNotFound(Exception):
    """A text is neither the name of a shipped model nor a path with a model's files."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model. ONNX: a graph of the whole window, perhaps with an encoder and a head. TFLite: one file."""

    folder: Path
    whole: Path
    encoder: Path | None
    head: Path | None

    @property
    def is_lite(self) -> bool:
        return self.whole.suffix == ".tflite"

    @property
    def size(self) -> int:
        """The size of the files that a stream loads, in bytes."""
        return sum(file.stat().st_size for file in (self.encoder, self.head) if file) or self.whole.stat().st_size

    def sha256(self) -> str:
        """Return the hash of all files in a fixed order, which names the model in messages."""
        digest = hashlib.sha256()
        for file in filter(None, (self.whole, self.encoder, self.head)):
            digest.update(file.read_bytes())
        return digest.hexdigest()


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped models, sorted."""
    return tuple(sorted(file.parent.name for file in TRAINED.glob(f"*/{WHOLE}")))


def find_model(name_or_path: str) -> ModelFiles:
    """Find a shipped name, a folder with model.onnx or model.tflite, or one such file. Raises ModelNotFound."""
    path = TRAINED / name_or_path if name_or_path in shipped() else Path(name_or_path)
    if path.is_file():
        return ModelFiles(path.parent, path, None, None)
    if (path / LITE).is_file():
        return ModelFiles(path, path / LITE, None, None)
    if not (path / WHOLE).is_file():
        similar = get_close_matches(name_or_path, shipped(), n=1)
        raise ModelNotFound(
            f"expected the name of a shipped model ({', '.join(shipped())}) or a folder with {WHOLE} or {LITE}, "
            f"got {name_or_path!r}" + (f"; did you mean {similar[0]}?" if similar else "")
        )
    has_parts = (path / ENCODER).is_file() and (path / HEAD).is_file()
    return ModelFiles(path, path / WHOLE, path / ENCODER if has_parts else None, path / HEAD if has_parts else None)
