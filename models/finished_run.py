"""The files of a finished training run, and how `export`, `combine`, `--start-from` and `--refit` read them."""

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
    """A folder is not a finished run, or one of its files is broken."""


@dataclass(frozen=True)
class FinishedRun:
    """The files of a run folder. The methods that read them raise UnreadableRun."""

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
        """The losses and accuracies of its epochs. A run that `combine` wrote has no such file."""
        return self.path / HISTORY

    @property
    def validation_windows(self) -> Path:
        return self.path / "windows.npy"

    @property
    def training_windows(self) -> Path:
        return self.path / "training_windows.npy"

    def require(self, *files: Path) -> None:
        """Check that these files are there. Raises UnreadableRun."""
        if missing := [file.name for file in files if not file.is_file()]:
            raise UnreadableRun(
                f"expected a finished run of `harstream train` in {self.path}, found no {', '.join(missing)}; train a "
                "run of an older harstream again"
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
    """Read a model without its optimizer, whose class differs between backends of Keras. Raises UnreadableRun."""
    import keras

    # Keras finds only layers whose modules are imported.
    from harstream.models.layers import batch_normalization, convlstm, optical_flow, sum_of_classes  # noqa: F401

    with reading(file):
        return keras.models.load_model(file, compile=False, safe_mode=True)


def read_windows(file: Path) -> NDArray[np.uint8]:
    """Read windows (N, T, H, W, 3) of real clips. Raises UnreadableRun."""
    with reading(file):
        windows: NDArray[np.uint8] = np.load(file, allow_pickle=False)
        return windows


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Give a context that turns the errors of a broken file into UnreadableRun with the file's name."""
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, MemoryError, ContractError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnreadableRun(f"{file} cannot be read: {reason}") from error
