"""The contract between a trained model and whoever feeds it: written into the model file, read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

CONTRACT_KEY = "harstream.contract"
UNKNOWN = "unknown"


class ContractError(Exception):
    """A contract is missing, cannot be read, or contradicts itself or the model's tensors.

    No ValueError: pydantic would wrap that in an error of its own.
    """


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelContract:
    """How a model wants its input and what its output means.

    A model takes windows (N, frames, height, width, 3) uint8 and gives scores (N, K) that sum to 1,
    K = len(labels). Normalisation and temperature are inside its graph; they are named here for the record.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    background: tuple[str, ...] = ()
    """Those of `labels` that mean "none of the activities"; they are never published as an activity."""
    frames: int = 20
    height: int = 64
    width: int = 64
    rate: float | None = 8.0
    """Sample rate of the frames of a window, in hertz; None: evenly over the whole clip, the papers' way."""
    channels: str = "RGB"
    normalisation: str = "divide by 255"
    transform: str = "squash-linear256-area"
    temperature: float = 1.0
    """Softmax temperature from calibration on val. Source: Guo et al. 2017, "On calibration", eq. 9."""
    unknown_threshold: float = 0.8
    """A smoothed score below this is no recognition. The papers' rule is 0.80 (Hamzah 2025)."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def activities(self) -> tuple[str, ...]:
        """The labels that may be published, in the order of the scores."""
        return tuple(label for label in self.labels if label not in self.background)

    @property
    def span(self) -> float:
        """Seconds from the first to the last frame of a window. Raises ContractError without a rate."""
        return (self.frames - 1) / self.live_rate

    @property
    def live_rate(self) -> float:
        """Hertz. Raises ContractError for a model that was trained evenly over clips: no stream can feed it so."""
        if self.rate is None:
            raise ContractError(
                f"model {self.name} was trained with {self.frames} frames spread evenly over each clip; a stream has "
                "no clip to spread over: train with a sample rate (leave out `--sampling even`) to use it live"
            )
        return self.rate

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> ModelContract:
        """Raises ContractError with what was expected and what came."""
        try:
            return TypeAdapter(ModelContract).validate_json(text)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the whole text"
            raise ContractError(f"a contract cannot be read: {where}: {problem['msg']}; got {text[:80]!r}") from error


def contract_from_metadata(metadata: Mapping[str, str], path: str) -> ModelContract:
    """Read the contract that `export` wrote into the metadata of a model's file; raises ContractError."""
    if CONTRACT_KEY not in metadata:
        raise ContractError(f"{path} carries no harstream contract in its metadata: make it with `harstream export`")
    return ModelContract.from_json(metadata[CONTRACT_KEY])


def _check(contract: ModelContract) -> None:
    if len(contract.labels) < 2 or len(set(contract.labels)) != len(contract.labels):
        raise ContractError(f"a model has at least two labels, none twice; got {list(contract.labels)}")
    if UNKNOWN in contract.labels:
        raise ContractError(f"{UNKNOWN!r} is what a stream says below the threshold; no label can have that name")
    if not set(contract.background) <= set(contract.labels) or not contract.activities:
        raise ContractError(f"background {list(contract.background)} must be some of the labels {contract.labels}")
    if min(contract.frames, contract.height, contract.width) < 1:
        raise ContractError(
            f"frames, height and width are positive, got {contract.frames}, {contract.height}, {contract.width}"
        )
    if contract.rate is not None and not 0 < contract.rate <= 120:
        raise ContractError(f"the sample rate is between 0 and 120 Hz, got {contract.rate}")
    if not contract.temperature > 0 or not 0 <= contract.unknown_threshold <= 1:
        raise ContractError(
            f"temperature must be positive and unknown_threshold between 0 and 1, got "
            f"{contract.temperature} and {contract.unknown_threshold}"
        )
