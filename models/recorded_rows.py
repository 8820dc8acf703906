"""The rows that a model's networks made of labelled clips, in a file: what a head is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from harstream.models.contract import DefaultView
from harstream.models.part_networks import PART_NETWORKS


@dataclass(frozen=True, eq=False)
class RecordedRows:
    """The windows of clips. Each run of windows one row apart is a sequence; a clip has at least one."""

    rows: NDArray[np.float32]
    """(R, F), those of all sequences, one after the other."""
    lengths: NDArray[np.int64]
    """(S,), the number of rows of each sequence; they sum to R."""
    scores: NDArray[np.float32]
    """(W, K), what the model's own head says of each window. A sequence of n rows has n - T + 1 windows of T."""
    labels: tuple[str, ...]
    """(S,), the label of each sequence."""
    classes: tuple[str, ...]
    """(S,), its class folder."""
    parts: tuple[str, ...]
    """(S,), train, val or test."""
    clips: tuple[str, ...]
    """(S,), the path of its clip."""
    view: DefaultView
    """What the networks saw."""
    network: str
    """The part whose numbers are the last ones of each row, one of models.part_networks."""

    def sequences(self) -> list[NDArray[np.float32]]:
        """Return the rows (n, F) of each sequence."""
        return np.split(self.rows, np.cumsum(self.lengths)[:-1])

    @property
    def length(self) -> int:
        """T, the number of rows of a window."""
        return int(self.lengths.sum() - len(self.scores)) // len(self.lengths) + 1

    def windows(self) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return all windows (W, T, F), in the order of `scores`, and the sequence (W,) of each."""
        length = self.length
        each = [
            np.lib.stride_tricks.sliding_window_view(rows, length, axis=0).swapaxes(1, 2) for rows in self.sequences()
        ]
        return np.concatenate(each), np.repeat(np.arange(len(each)), [len(windows) for windows in each])

    def save(self, path: Path) -> None:
        """Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                rows=self.rows,
                lengths=self.lengths,
                scores=self.scores,
                labels=np.array(self.labels),
                classes=np.array(self.classes),
                parts=np.array(self.parts),
                clips=np.array(self.clips),
                view=np.array(self.view),
                network=np.array(self.network),
            )

    @staticmethod
    def load(path: Path) -> RecordedRows:
        """Raises OSError, and ValueError for another file."""
        try:
            with np.load(path) as file:
                texts = {name: tuple(map(str, file[name])) for name in ("labels", "classes", "parts", "clips")}
                view = TypeAdapter(DefaultView).validate_python(str(file["view"]))
                network = PART_NETWORKS[str(file["network"])].name
                rows, lengths, scores = (file[name] for name in ("rows", "lengths", "scores"))
                return RecordedRows(rows=rows, lengths=lengths, scores=scores, view=view, network=network, **texts)
        except (KeyError, ValueError, EOFError, BadZipFile) as error:
            raise ValueError(
                f"expected a file that `python -m harstream.evaluation.rows` wrote, got another one: {path}"
            ) from error
