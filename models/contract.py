"""What a trained model expects as input, and what its output means. The model's file contains it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal, get_args

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

CONTRACT_KEY = "harstream.contract"
ENCODER_KEY = "harstream.encoder_sha256"
"""The key of the encoder's hash in the metadata of a head that fits no other encoder."""
UNKNOWN = "unknown"
"""The activity that is reported if no score reaches the threshold."""

LARGEST_WINDOW = 2**28
"""The largest window in bytes, at one byte a colour: 89 frames of 1000 x 1000. A stream holds several per camera."""
MOST_LABELS = 10_000
LARGEST_PICTURE = 2**20
"""The most pixels of a picture that a part sees."""
PART_NAME = re.compile("[a-z_]{1,20}")
LONGEST_NAME = 100
"""The most characters of a label, and of the model's name and version."""
LONGEST_TEXT = 2 * MOST_LABELS * LONGEST_NAME
"""The most characters of a contract as JSON."""

Channels = Literal["RGB", "BGR"]
"""Order of the colours in the model's input."""
Normalisation = Literal["divide by 255", "0 to 1", "-1 to 1"]
"""The values of the model's input: uint8 levels, which the model divides by 255 itself, or float32 in a range."""
Transform = Literal["squash-linear256-area"]
"""How a picture becomes a model frame: the way of models/transform.py."""
DefaultView = Literal["picture", "motion"]
"""What a model is shown where nothing else is asked. `person` is never a default; see docs/views.md."""


class ContractError(Exception):
    """A contract is missing, cannot be read, or contradicts itself or the model's tensors.

    It is not a ValueError, because pydantic wraps those in an error of its own.
    """


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RowPart:
    """A network beside the encoder, which sees larger pictures at a rate of its own.

    It takes pictures (N, height, width, 3) RGB uint8 and outputs (N, D) float32. These D numbers follow those of the
    encoder in each row. A row between two of its pictures holds the numbers of the earlier one.
    """

    name: str
    """Its file is part_NAME.onnx, beside the encoder."""
    height: int
    width: int
    every: int
    """It sees every n-th frame of the window."""
    sees_place: bool = False
    """Whether its numbers tell the place as well as the person. `harstream evaluate` asks what another place does."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CausalNetwork:
    """A network that sees one frame after the other. It outputs logits after each, and hands on a state to the next.

    The score of a label is the sum of the probabilities of its outputs, which are a softmax of the logits.
    """

    outputs: tuple[int, ...]
    """For each output, the number of the label that it counts for, from 0."""
    longest: int
    """The number of frames after which a state ends. A network that keeps a mean over all frames that it saw would
    notice ever less; so this is the length of the clips that it was trained on."""

    @property
    def overlap(self) -> int:
        """The number of frames that the next state has seen when a state ends, and the most frames of a window."""
        return (self.longest + 1) // 2


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelContract:
    """What a model expects as input and what its output means.

    A model takes windows (N, frames, height, width, 3) and outputs scores (N, K) that sum to 1, K = len(labels).
    `channels` and `normalisation` describe the values of its input. The temperature is already part of its graph;
    `combine` reads it here. If a network is causal, it takes frames, and a window is what it must have seen at least.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    background: tuple[str, ...] = ()
    """The labels that mean "none of the activities". They are never reported as an activity."""
    taught: tuple[str, ...] = ()
    """The activities that `harstream teach` added, from a user's own examples."""
    frames: int = 20
    height: int = 64
    width: int = 64
    rate: float | None = 8.0
    """Frames per second of a window. None: the frames are spread evenly over a whole clip, as in the papers."""
    channels: Channels = "RGB"
    normalisation: Normalisation = "divide by 255"
    transform: Transform = "squash-linear256-area"
    view: DefaultView = "picture"
    """What the model is shown where nothing else is asked: all of the picture, or the box of what moves."""
    temperature: float = 1.0
    """Softmax temperature, calibrated on validation clips. Source: Guo et al. 2017, "On calibration", eq. 9."""
    unknown_threshold: float = 0.8
    """A smoothed score below this is `unknown`. The papers use 0.80 (Hamzah 2025)."""
    parts: tuple[RowPart, ...] = ()
    """The networks beside the encoder, in the order of their numbers in a row."""
    causal: CausalNetwork | None = None
    """What is said of a causal network. None: the model sees windows."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def activities(self) -> tuple[str, ...]:
        """The labels that can be reported as activities, in the order of the scores."""
        return tuple(label for label in self.labels if label not in self.background)

    @property
    def input_dtype(self) -> np.dtype[np.generic]:
        """The type of the model's input: uint8 if the model normalises it, float32 if it expects normalised values."""
        return np.dtype(np.uint8 if self.normalisation == "divide by 255" else np.float32)

    @property
    def span(self) -> float:
        """Seconds from the first to the last frame of a window. Raises ContractError without a rate."""
        return (self.frames - 1) / self.live_rate

    @property
    def live_rate(self) -> float:
        """Frames per second of a stream's window. Raises ContractError for a model that only works on whole clips."""
        if self.rate is None:
            raise ContractError(
                f"model {self.name} was trained with {self.frames} frames spread evenly over each clip, but a stream "
                "has no clips: train with a sample rate (leave out `--sampling even`) to use it live, or, for a model "
                "from elsewhere, say with `harstream import --rate` how many frames a second it was trained on"
            )
        return self.rate

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> ModelContract:
        """Read the contract. Raises ContractError with what was expected and what came."""
        if len(text) > LONGEST_TEXT:
            raise ContractError(f"a contract must have at most {LONGEST_TEXT} characters, got {len(text)}")
        try:
            return TypeAdapter(ModelContract).validate_json(text)
        except ValidationError as error:
            raise ContractError(f"a contract cannot be read: {_problem(error)}") from error


def contract_from_metadata(metadata: Mapping[str, str], path: str) -> ModelContract:
    """Read the contract from the metadata of a model's file. Raises ContractError, which names the file."""
    if CONTRACT_KEY not in metadata:
        raise ContractError(f"{path} has no harstream contract in its metadata: create it with `harstream export`")
    try:
        return ModelContract.from_json(metadata[CONTRACT_KEY])
    except ContractError as error:
        raise ContractError(f"{path}: {error}; create it again with `harstream export`") from error


def _problem(error: ValidationError) -> str:
    """Return the first problem in one line: where it is, what was expected, what came."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"]) or "the whole text"
    closed = {"channels": Channels, "normalisation": Normalisation, "transform": Transform, "view": DefaultView}
    expected = f"expected {' or '.join(get_args(closed[where]))}" if where in closed else problem["msg"]
    return f"{where}: {expected}, got {str(problem['input'])[:80]!r}"


def _check(contract: ModelContract) -> None:
    _check_texts(contract)
    if len(contract.labels) < 2 or len(set(contract.labels)) != len(contract.labels):
        raise ContractError(f"a model must have at least two different labels, got {list(contract.labels)}")
    if UNKNOWN in contract.labels:
        raise ContractError(f"{UNKNOWN!r} is reported below the threshold, so it cannot be a label")
    if not set(contract.background) <= set(contract.labels) or not contract.activities:
        raise ContractError(f"background {list(contract.background)} must be some of the labels {contract.labels}")
    if not set(contract.taught) <= set(contract.activities):
        raise ContractError(f"taught {list(contract.taught)} must be some of the activities {contract.activities}")
    _check_sizes(contract)
    _check_numbers(contract)
    _check_parts(contract)
    if contract.causal:
        _check_causal(contract, contract.causal)


def _check_texts(contract: ModelContract) -> None:
    """Check what other programs show: a page, a terminal, Home Assistant."""
    if len(contract.labels) > MOST_LABELS:
        raise ContractError(f"a model must have at most {MOST_LABELS} labels, got {len(contract.labels)}")
    for what, text in (
        ("name", contract.name),
        ("version", contract.version),
        *(("label", label) for label in contract.labels),
    ):
        if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable() or set(text) & set("<>&"):
            raise ContractError(
                f"a {what} must have 1 to {LONGEST_NAME} printable characters without < > &, "
                f"got {text[:LONGEST_NAME]!r}"
            )


def _check_sizes(contract: ModelContract) -> None:
    sizes = contract.frames, contract.height, contract.width
    if min(sizes) < 1:
        raise ContractError("frames, height and width must be positive, got {}, {}, {}".format(*sizes))
    if (size := math.prod(sizes) * 3) > LARGEST_WINDOW:
        raise ContractError(
            f"a window must take at most {LARGEST_WINDOW >> 20} MiB, got {sizes[0]} frames of {sizes[1]} x {sizes[2]}, "
            f"which take {size >> 20} MiB"
        )


def _check_numbers(contract: ModelContract) -> None:
    if contract.rate is not None and not 0 < contract.rate <= 120:
        raise ContractError(f"the sample rate must be between 0 and 120 Hz, got {contract.rate}")
    if contract.rate is None and contract.view != "picture":
        raise ContractError(f"the view of a model without a sample rate must be 'picture', got {contract.view!r}")
    if not 0 < contract.temperature < math.inf or not 0 <= contract.unknown_threshold <= 1:
        raise ContractError(
            f"temperature must be positive and unknown_threshold between 0 and 1, got "
            f"{contract.temperature} and {contract.unknown_threshold}"
        )


def _check_parts(contract: ModelContract) -> None:
    names = [part.name for part in contract.parts]
    if len(set(names)) != len(names) or not all(PART_NAME.fullmatch(name) for name in names):
        raise ContractError(f"parts must have different names of small letters and _, such as pose, got {names}")
    if contract.parts and contract.rate is None:
        raise ContractError("a model with parts must have a sample rate, got none")
    for part in contract.parts:
        if not 1 <= part.every <= contract.frames or not min(part.height, part.width) >= 1:
            raise ContractError(
                f"the part {part.name} must see pictures of at least 1 x 1, at least once in a window of "
                f"{contract.frames} frames, got {part.height} x {part.width} every {part.every} frames"
            )
        if part.height * part.width > LARGEST_PICTURE:
            raise ContractError(
                f"the part {part.name} must see pictures of at most {LARGEST_PICTURE} pixels, "
                f"got {part.height} x {part.width}"
            )


def _check_causal(contract: ModelContract, causal: CausalNetwork) -> None:
    labels = len(contract.labels)
    if contract.rate is None or contract.parts:
        raise ContractError("a causal network must have a sample rate and no parts")
    if len(causal.outputs) > MOST_LABELS or set(causal.outputs) != set(range(labels)):
        raise ContractError(
            f"a causal network must have at most {MOST_LABELS} outputs, which count for each of the labels 0 to "
            f"{labels - 1}, got {len(causal.outputs)} outputs for {len(set(causal.outputs))} labels"
        )
    if contract.frames > causal.overlap:
        raise ContractError(
            f"a window of a causal network must have at most half the frames of its longest state, got "
            f"{contract.frames} of {causal.longest}"
        )
