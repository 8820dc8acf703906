"""A network that was trained on a part of rows, with what is needed to join it to a model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
from pydantic import TypeAdapter

from harstream.models.contract import DefaultView
from harstream.models.finished_run import UnreadableRun
from harstream.models.layers import pose_features  # noqa: F401  (registers the layer)
from harstream.models.score_fusion import Fusion

NETWORK, SETTINGS = "network.keras", "network.json"


@dataclass(frozen=True)
class PartRun:
    """What belongs to the network."""

    part: str
    """The name of the part that it takes, one of models.part_networks."""
    classes: tuple[str, ...]
    """(F,), in the order of its scores."""
    labels: tuple[str, ...]
    """(K,), the labels of the model that it is joined to, in order."""
    label_of: tuple[int, ...]
    """(F,), the label of each class."""
    view: DefaultView
    """What the network learned from: all of the picture, or the box of what moves."""
    temperature: float
    fusion: Fusion
    command: str

    def save(self, folder: Path, network: keras.Model) -> None:
        """Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        network.save(folder / NETWORK)
        (folder / SETTINGS).write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(folder: Path) -> tuple[PartRun, keras.Model]:
    """Raises UnreadableRun."""
    try:
        run = TypeAdapter(PartRun).validate_json((folder / SETTINGS).read_bytes())
        return run, keras.models.load_model(folder / NETWORK)
    except (OSError, ValueError) as error:
        raise UnreadableRun(
            f"expected a run of `python -m harstream.training.parts` in {folder}: {str(error).splitlines()[0]}"
        ) from error
