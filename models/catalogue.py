"""Finds a model by the name of a shipped one, or by a path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from harstream.models.fetchable.table import fetchable

WHOLE, ENCODER, HEAD = "model.onnx", "encoder.onnx", "head.onnx"
LITE = "model.tflite"
PART = "part_{}.onnx"
"""The file of the network of a part of the rows; the contract has the names."""
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
    """The head of a model whose rows have parts, because there is no graph of the whole window."""
    encoder: Path | None
    head: Path | None
    parts: tuple[Path, ...] = ()
    """The networks of the parts of its rows, sorted. The contract says in which order a row has their numbers."""

    @property
    def is_lite(self) -> bool:
        return self.whole.suffix == ".tflite"

    @property
    def size(self) -> int:
        """The size of the files that a stream loads, in bytes."""
        streamed = [file for file in (self.encoder, self.head, *self.parts) if file]
        return sum(file.stat().st_size for file in streamed or [self.whole])

    def part(self, name: str) -> Path:
        return self.folder / PART.format(name)

    def sha256(self) -> str:
        """Return the hash of all files in a fixed order, which names the model in messages."""
        digest = hashlib.sha256()
        for file in dict.fromkeys(filter(None, (self.whole, self.encoder, self.head, *self.parts))):
            digest.update(file.read_bytes())
        return digest.hexdigest()


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped models, sorted."""
    return tuple(sorted({file.parent.name for name in (WHOLE, HEAD) for file in TRAINED.glob(f"*/{name}")}))


def find_model(name_or_path: str) -> ModelFiles:
    """Find a shipped name, a folder with model.onnx or model.tflite, or one such file. Raises ModelNotFound."""
    path = TRAINED / name_or_path if name_or_path in shipped() else Path(name_or_path)
    if path.is_file():
        return ModelFiles(path.parent, path, None, None)
    if (path / LITE).is_file():
        return ModelFiles(path, path / LITE, None, None)
    encoder, head = ((path / name) if (path / name).is_file() else None for name in (ENCODER, HEAD))
    whole = path / WHOLE if (path / WHOLE).is_file() or not encoder else head
    if whole is None or not whole.is_file():
        raise ModelNotFound(
            f"expected the name of a shipped model ({', '.join(shipped())}) or a folder with {WHOLE} or {LITE}, "
            f"got {name_or_path!r}{_hint(name_or_path)}"
        )
    if not (encoder and head):
        return ModelFiles(path, whole, None, None)
    return ModelFiles(path, whole, encoder, head, tuple(sorted(path.glob(PART.format("*")))))


def _hint(name: str) -> str:
    if name in fetchable():
        return f"; `harstream get {name}` fetches it"
    similar = get_close_matches(name, shipped(), n=1)
    return f"; did you mean {similar[0]}?" if similar else ""
