"""Writes a run folder: everything that is needed to repeat or resume a training run and to export its model."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from harstream.clips.listing import Clip
from harstream.models.catalogue import ModelNotFound, find_model
from harstream.models.contract import ModelContract
from harstream.models.finished_run import FinishedRun, reading
from harstream.resilience.whole_file import atomic_path, write_whole
from harstream.training.cache import Rejected
from harstream.training.errors import TrainingError
from harstream.training.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Validated:
    """The scores of a run's model for all validation windows."""

    scores: NDArray[np.float32]
    """(N, F), one column per learned class, before the temperature."""
    truth: NDArray[np.intp]
    """(N,), the index of the true class of each window."""

    @staticmethod
    def read(file: Path) -> Validated:
        """Read the scores. Raises UnreadableRun."""
        with reading(file), np.load(file) as kept:
            return Validated(kept["scores"], kept["truth"])


@dataclass(frozen=True)
class RunFolder(FinishedRun):
    """A run folder with the files that only training writes and reads."""

    @property
    def best_weights(self) -> Path:
        return self.path / "best.weights.h5"

    @property
    def backup(self) -> Path:
        return self.path / "resume"

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def split(self) -> Path:
        return self.path / "split.tsv"

    @property
    def validated(self) -> Path:
        return self.path / "validated.npz"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    def begin(self, recipe: Recipe, clips: Sequence[Clip], rejected: Sequence[Rejected]) -> None:
        """Write recipe, split and provenance, or check that they are those of the run to resume.

        `evaluate --split` reads the split for the test clips. Raises TrainingError if the folder holds a finished run,
        or a run with another recipe or other clips.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if self.model.exists():
            raise TrainingError(f"{self.path} holds a finished run: choose another --out")
        self._write_recipe(recipe)
        self._write_same(self.split.name, self.split_table(clips))
        (self.path / "rejected.tsv").write_text("".join(f"{bad.clip.path}\t{bad.reason}\n" for bad in rejected))
        self.provenance.write_text(json.dumps(_provenance(recipe, clips), indent=2))

    def begin_combined(self, members: Sequence[RunFolder]) -> None:
        """Write split and provenance of a run that combines finished runs. Raises UnreadableRun."""
        origins = {f"member {number + 1}": _command_and_digest(member) for number, member in enumerate(members)}
        self.path.mkdir(parents=True, exist_ok=True)
        self.split.write_text(members[0].split.read_text())
        self.provenance.write_text(json.dumps(_command_and_versions() | origins, indent=2))

    def held_out(self) -> list[str]:
        """Return the lines of the split with clips that the run did not learn from, sorted."""
        return sorted(line for line in self.split.read_text().splitlines()[1:] if not line.endswith("\ttrain"))

    def finish(
        self,
        model: keras.Model,
        contract: ModelContract,
        *,
        validated: Validated | None,
        validation: NDArray[np.uint8],
        training: NDArray[np.uint8],
    ) -> None:
        """Write the files that `export` and `combine` read. The model comes last, because it marks the run as finished.

        `export` verifies on the `validation` windows (N, T, H, W, 3) and quantizes with the `training` windows.
        `combine` reads the scores of a run that was validated.
        """
        np.save(self.validation_windows, validation)
        np.save(self.training_windows, training)
        if validated is not None:
            np.savez(self.validated, scores=validated.scores, truth=validated.truth)
        self.contract.write_text(contract.to_json())
        with atomic_path(self.model) as unfinished:
            model.save(unfinished)

    def read_recipe(self) -> dict[str, Any]:
        """Return the recipe as a dict. A field that an older harstream did not write has its default."""
        with reading(self.recipe):
            written: dict[str, Any] = json.loads(self.recipe.read_text())
            return asdict(Recipe()) | written

    @staticmethod
    def split_table(clips: Sequence[Clip]) -> str:
        """Return the text of a split file. If the split divides groups, each clip is its own cluster."""
        divides_groups = len({(clip.label, clip.group, clip.part) for clip in clips}) > len(
            {(c.label, c.group) for c in clips}
        )
        rows = [
            f"{clip.path}\t{clip.label}\t{clip.group}\t{clip.path.stem if divides_groups else clip.group}\t{clip.part}"
            for clip in clips
        ]
        return "\n".join(["file\tclass\tgroup\tcluster\tsplit", *rows]) + "\n"

    def _write_recipe(self, recipe: Recipe) -> None:
        text = json.dumps(asdict(recipe), indent=2)
        if self.recipe.exists() and self.read_recipe() == asdict(recipe):
            text = self.recipe.read_text()
        self._write_same(self.recipe.name, text)

    def _write_same(self, name: str, text: str) -> None:
        file = self.path / name
        if file.exists() and file.read_text() != text:
            raise TrainingError(
                f"{self.path} holds a run with another {name}: repeat the command of that run, or choose another --out"
            )
        write_whole(file, text)


def _provenance(recipe: Recipe, clips: Sequence[Clip]) -> dict[str, str]:
    counts = {part: sum(clip.part == part for clip in clips) for part in ("train", "val", "test")}
    began = {"weights": recipe.weights, "start_from": recipe.start_from, "refit": recipe.refit}
    return {
        **_command_and_versions(),
        "clips": ", ".join(f"{count} {part}" for part, count in counts.items()),
        **{name: _with_digest(source) for name, source in began.items() if source is not None},
    }


def _command_and_versions() -> dict[str, str]:
    return {
        "command": " ".join(["harstream", *sys.argv[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }


def _command_and_digest(run: RunFolder) -> str:
    """Return the command of the run and the digest of its model."""
    return f"{run.read_provenance()['command']} (sha256 {_digest(run.model)})"


def _versions() -> str:
    """Return the versions of the modules, because tensorflow and opencv-python have several package names."""
    backend = importlib.import_module(keras.backend.backend())
    modules = {keras.backend.backend(): backend, "keras": keras, "numpy": np, "opencv": cv2}
    versions = {"harstream": version("harstream")} | {name: module.__version__ for name, module in modules.items()}
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _with_digest(source: str) -> str:
    """Add the digest of the file, of the run's model or of the exported model, if there is one."""
    file = RunFolder(Path(source)).model if Path(source).is_dir() else Path(source)
    if file.is_file():
        return f"{source} (sha256 {_digest(file)})"
    try:
        return f"{source} (sha256 {find_model(source).sha256()})"
    except ModelNotFound:
        return source


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
