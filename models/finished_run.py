"""What a training run leaves when it is finished, and how `export`, `combine`, `--start-from` and `--refit` read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import HISTORY
from harstream.models.contract import ContractError, ModelContract

if TYPE_CHECKING:
    import keras


class UnreadableRun(Exception):
    """It is no finished run, or a broken one."""


@dataclass(frozen=True)
class FinishedRun:
    """The files of a run folder. What reads them raises UnreadableRun."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def contract(self) -> Path:
        return self.path / "contract.json"

    @property
    def provenance(self) -> Path:
        return self.path / "provenance.json"

    @property
    def history(self) -> Path:
        """Of its epochs; there is none of a run that `combine` made."""
        return self.path / HISTORY

    @property
    def validation_windows(self) -> Path:
        return self.path / "windows.npy"

    @property
    def training_windows(self) -> Path:
        return self.path / "training_windows.npy"

    def require(self, *files: Path) -> None:
        if missing := [file.name for file in files if not file.is_file()]:
            raise UnreadableRun(
                f"expected a finished run of `harstream train` in {self.path}, found no {', '.join(missing)}; what an "
                "older harstream trained must be trained again"
            )

    def read_model(self) -> keras.Model:
        return read_model(self.model)

    def read_contract(self) -> ModelContract:
        with reading(self.contract):
            return ModelContract.from_json(self.contract.read_text())

    def read_provenance(self) -> dict[str, str]:
        with reading(self.provenance):
            said: dict[str, str] = json.loads(self.provenance.read_text())
            return said


def read_model(file: Path) -> keras.Model:
    """Without its optimizer, which is another class on each of Keras's backends. Raises UnreadableRun."""
    import keras

    # Keras reads only layers whose modules are imported.
    from harstream.models.layers import batch_normalization, convlstm, optical_flow, sum_of_classes  # noqa: F401

    with reading(file):
        return keras.models.load_model(file, compile=False)


def read_windows(file: Path) -> NDArray[np.uint8]:
    """(N, T, H, W, 3), real ones. Raises UnreadableRun."""
    with reading(file):
        windows: NDArray[np.uint8] = np.load(file)
        return windows


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Raises UnreadableRun, with the file's name, for all that NumPy, Keras and the contract make of a broken one."""
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, ContractError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnreadableRun(f"{file} cannot be read: {reason}") from error
