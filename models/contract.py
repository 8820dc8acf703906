"""What a trained model expects as input and what its output means; written into the model's file, read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal, get_args

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

CONTRACT_KEY = "harstream.contract"
UNKNOWN = "unknown"
"""The name of what is recognized below the threshold."""

Channels = Literal["RGB", "BGR"]
"""Order of the colours in the model's input."""
Normalisation = Literal["divide by 255", "0 to 1", "-1 to 1"]
"""What the model's input holds: uint8 levels, which the model itself divides by 255; or float32 in a range."""
Transform = Literal["squash-linear256-area"]
"""How a picture becomes a model frame: as models/transform.py does it."""


class ContractError(Exception):
    """A contract is missing, cannot be read, or contradicts itself or the model's tensors.

    It is no ValueError, because pydantic wraps those in an error of its own.
    """


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelContract:
    """How a model wants its input and what its output means.

    A model takes windows (N, frames, height, width, 3) and gives scores (N, K) that sum to 1, K = len(labels).
    `channels` and `normalisation` say what its input holds, and `input_dtype` follows from them. The temperature is
    inside its graph; `combine` reads it here.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    background: tuple[str, ...] = ()
    """The labels that mean "none of the activities"; they are never published as an activity."""
    frames: int = 20
    height: int = 64
    width: int = 64
    rate: float | None = 8.0
    """Sample rate of the frames of a window, in hertz; None: evenly over the whole clip, the papers' way."""
    channels: Channels = "RGB"
    normalisation: Normalisation = "divide by 255"
    transform: Transform = "squash-linear256-area"
    temperature: float = 1.0
    """Softmax temperature, calibrated on validation clips. Source: Guo et al. 2017, "On calibration", eq. 9."""
    unknown_threshold: float = 0.8
    """A smoothed score below this is no recognition. The papers use 0.80 (Hamzah 2025)."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def activities(self) -> tuple[str, ...]:
        """The labels that may be published, in the order of the scores."""
        return tuple(label for label in self.labels if label not in self.background)

    @property
    def input_dtype(self) -> np.dtype[np.generic]:
        """The type of the model's input: uint8 where the model normalises, float32 where it is fed normalised."""
        return np.dtype(np.uint8 if self.normalisation == "divide by 255" else np.float32)

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
            raise ContractError(f"a contract cannot be read: {_problem(error)}") from error


def contract_from_metadata(metadata: Mapping[str, str], path: str) -> ModelContract:
    """Read the contract from the metadata of a model's file. Raises ContractError, which names the file."""
    if CONTRACT_KEY not in metadata:
        raise ContractError(f"{path} carries no harstream contract in its metadata: make it with `harstream export`")
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ContractError as error:
        raise ContractError(f"{path}: {error}; make it again with `harstream export`") from error


def _problem(error: ValidationError) -> str:
    """The first problem in one line: where, what was expected, what came."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"]) or "the whole text"
    closed = {"channels": Channels, "normalisation": Normalisation, "transform": Transform}
    expected = f"expected {' or '.join(get_args(closed[where]))}" if where in closed else problem["msg"]
    return f"{where}: {expected}, got {str(problem['input'])[:80]!r}"


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
