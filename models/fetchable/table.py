"""The models that can be fetched: addresses, sizes, hashes, and what harstream says of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from harstream.models.contract import CausalNetwork, ModelContract

HERE = Path(__file__).parent
KINETICS = HERE / "kinetics_600.csv"
"""The 600 labels in the order of the network's outputs, each with the activity of a home that it counts for, if any."""
BACKGROUND = "background"


@dataclass(frozen=True)
class Fetchable:
    """A file of somebody else, and what becomes of it."""

    name: str
    summary: str
    """What to know of it beside its activities, in one sentence without a full stop."""
    licence: str
    addresses: tuple[str, ...]
    """They are tried in this order. Each gives the file, or a .tar.gz in which it is the only .tflite file."""
    size: int
    """Of the file, in bytes."""
    sha256: str
    """Of the file, in lower case."""
    contract: ModelContract

    @property
    def card(self) -> Path:
        return HERE / f"{self.name}.md"


def fetchable() -> dict[str, Fetchable]:
    """Return the models that can be fetched, by their names."""
    return {each.name: each for each in (_movinet_a0_stream(),)}


def home_activities(labels_file: Path = KINETICS) -> dict[str, str]:
    """Return the activity of a home, or background, for each label, in the order of the outputs."""
    with labels_file.open(encoding="utf-8", newline="") as file:
        return {row["kinetics_600"]: row["home_activity"] or BACKGROUND for row in csv.DictReader(file)}


def _movinet_a0_stream() -> Fetchable:
    counts_for = list(home_activities().values())
    labels = (*sorted(set(counts_for) - {BACKGROUND}), BACKGROUND)
    path = "movinet/a0/stream/kinetics-600/classification/tflite/int8/1"
    return Fetchable(
        name="movinet-a0-stream",
        summary="Out of the 600 of Kinetics; its accuracy was not measured here",
        licence="Apache-2.0, by Google",
        addresses=(
            f"https://storage.googleapis.com/tfhub-lite-models/tensorflow/lite-model/{path}.tflite",
            f"https://tfhub.dev/tensorflow/lite-model/{path}?lite-format=tflite",
            "https://www.kaggle.com/api/v1/models/google/movinet/tfLite/a0-stream-kinetics-600-classification-tflite-int8/1/download",
        ),
        size=3_276_048,
        sha256="6125b36e2485eeb5cc1fd6206cf5e5d70235593fbc84610d1dce97fe3aa9c2ac",
        contract=ModelContract(
            name="movinet-a0-stream",
            version="1",
            labels=labels,
            background=(BACKGROUND,),
            frames=10,
            height=172,
            width=172,
            rate=5.0,
            normalisation="0 to 1",
            unknown_threshold=0.5,
            causal=CausalNetwork(outputs=tuple(labels.index(label) for label in counts_for), longest=50),
        ),
    )
