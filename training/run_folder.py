"""A run folder: everything needed to repeat a training run, to resume it, and to export what came of it."""

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
from harstream.models.contract import ModelContract
from harstream.models.finished_run import FinishedRun, reading
from harstream.resilience.whole_file import write_whole, written_whole
from harstream.training.cache import Rejected
from harstream.training.errors import TrainingError
from harstream.training.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Validated:
    """What the model of a run said of all validation windows."""

    scores: NDArray[np.float32]
    """(N, F), of classes, at no temperature."""
    truth: NDArray[np.intp]
    """(N,), the class of each."""

    @staticmethod
    def read(file: Path) -> Validated:
        """Raises UnreadableRun."""
        with reading(file), np.load(file) as kept:
            return Validated(kept["scores"], kept["truth"])


@dataclass(frozen=True)
class RunFolder(FinishedRun):
    """With what only training itself writes and reads."""

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
        """Write recipe, split (which `evaluate --split` reads, for the test clips) and provenance, or check that they
        are those of the run to be resumed.

        Raises TrainingError if the folder holds a finished run or a run of another recipe or other clips.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if self.model.exists():
            raise TrainingError(f"{self.path} holds a finished run: choose another --out")
        self._same_recipe(recipe)
        self._same(self.split.name, self.split_table(clips))
        (self.path / "rejected.tsv").write_text("".join(f"{bad.clip.path}\t{bad.reason}\n" for bad in rejected))
        self.provenance.write_text(json.dumps(_provenance(recipe, clips), indent=2))

    def begin_combined(self, members: Sequence[RunFolder]) -> None:
        """Write split and provenance of a run that is made of finished ones. Raises UnreadableRun."""
        origins = {f"member {number + 1}": _trained(member) for number, member in enumerate(members)}
        self.path.mkdir(parents=True, exist_ok=True)
        self.split.write_text(members[0].split.read_text())
        self.provenance.write_text(json.dumps(_origin() | origins, indent=2))

    def held_out(self) -> list[str]:
        """The lines of the split with clips that the run did not learn from, sorted."""
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
        """Write what `export` reads: the model (last, for it marks the run as finished), its calibrated contract, and
        real windows (N, T, H, W, 3): of the validation clips to verify on, of the training clips to quantize with. And,
        of a run that was validated, what `combine` reads."""
        np.save(self.validation_windows, validation)
        np.save(self.training_windows, training)
        if validated is not None:
            np.savez(self.validated, scores=validated.scores, truth=validated.truth)
        self.contract.write_text(contract.to_json())
        with written_whole(self.model) as unfinished:
            model.save(unfinished)

    def read_recipe(self) -> dict[str, Any]:
        """As asdict(Recipe); what one of an older harstream does not say is what it is by default."""
        with reading(self.recipe):
            said: dict[str, Any] = json.loads(self.recipe.read_text())
            return asdict(Recipe()) | said

    @staticmethod
    def split_table(clips: Sequence[Clip]) -> str:
        """A split that cuts groups, as one at random does, takes each clip for a scene of its own."""
        is_cut = len({(clip.label, clip.group, clip.part) for clip in clips}) > len({(c.label, c.group) for c in clips})
        rows = [
            f"{clip.path}\t{clip.label}\t{clip.group}\t{clip.path.stem if is_cut else clip.group}\t{clip.part}"
            for clip in clips
        ]
        return "\n".join(["file\tclass\tgroup\tcluster\tsplit", *rows]) + "\n"

    def _same_recipe(self, recipe: Recipe) -> None:
        text = json.dumps(asdict(recipe), indent=2)
        if self.recipe.exists() and self.read_recipe() == asdict(recipe):
            text = self.recipe.read_text()
        self._same(self.recipe.name, text)

    def _same(self, name: str, text: str) -> None:
        file = self.path / name
        if file.exists() and file.read_text() != text:
            raise TrainingError(
                f"{self.path} holds a run with another {name}: resume it with the same command, or choose another --out"
            )
        write_whole(file, text)


def _provenance(recipe: Recipe, clips: Sequence[Clip]) -> dict[str, str]:
    counts = {part: sum(clip.part == part for clip in clips) for part in ("train", "val", "test")}
    began = {"weights": recipe.weights, "start_from": recipe.start_from, "refit": recipe.refit}
    return {
        **_origin(),
        "clips": ", ".join(f"{count} {part}" for part, count in counts.items()),
        **{name: _identified(source) for name, source in began.items() if source is not None},
    }


def _origin() -> dict[str, str]:
    return {
        "command": " ".join(["harstream", *sys.argv[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }


def _trained(run: RunFolder) -> str:
    """How, with the digest of what came of it."""
    return f"{run.read_provenance()['command']} (sha256 {_digest(run.model)})"


def _versions() -> str:
    """The packages themselves are asked: tensorflow and opencv-python are installed under several names."""
    backend = importlib.import_module(keras.backend.backend())
    modules = {keras.backend.backend(): backend, "keras": keras, "numpy": np, "opencv": cv2}
    versions = {"harstream": version("harstream")} | {name: module.__version__ for name, module in modules.items()}
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _identified(source: str) -> str:
    """With the digest of the file that was read, where there is one."""
    file = RunFolder(Path(source)).model if Path(source).is_dir() else Path(source)
    return f"{source} (sha256 {_digest(file)})" if file.is_file() else source


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
