"""Finds people and their joints in a picture, with MoveNet on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.catalogue import PERSON_DETECTOR
from harstream.models.picture import Picture, Pixels
from harstream.stream.recognition.onnx_session import Device, open_session, provider_of, reason
from harstream.stream.recognition.protocols import DetectedPerson
from harstream.wire.errors import ModelError

LONGEST = 256
"""Pixels of the longer side of what the network sees. 384 finds smaller people and takes twice as long."""
MULTIPLE = 32
"""The network takes pictures whose sides are multiples of this number of pixels."""
LOWEST_SCORE = 0.2
"""Who has a lower score is no person. The network's scores are low; models/people/CARD.md has the measurements."""
SAME_PERSON = 0.5
"""Two boxes whose common part is a larger share of what they cover together show one person."""
KEYPOINTS = 17
PERSON = KEYPOINTS * 3 + 5
"""Numbers that the network gives for a person: y, x, confidence of each joint, then top, left, bottom, right, score."""


class PersonDetector:
    """A Detector over ONNX Runtime. It is not thread-safe."""

    def __init__(self, session: onnxruntime.InferenceSession, longest: int = LONGEST) -> None:
        """`longest`: pixels of the longer side of what the network sees, a multiple of 32."""
        self._session = session
        self._longest = longest
        self._input: str = session.get_inputs()[0].name

    @property
    def provider(self) -> str:
        """The device that runs the network: `CPU` or `CUDA`."""
        return provider_of(self._session)

    def detect(self, picture: Picture, region: Box = WHOLE) -> list[DetectedPerson]:
        """Return the people in that part of the picture, the most certain first. Raises ModelError if it fails."""
        height, width = picture.size
        size = reduced(height * region.height, width * region.width, self._longest)
        frame = padded(picture.model_frame(*size, region))
        try:
            output = np.asarray(self._session.run(None, {self._input: frame[None]})[0][0])
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise ModelError(f"the network that finds people failed while it ran: {reason(error)}") from error
        return people(output, _grown(region, size, frame.shape[:2]), region)


def load_person_detector(
    device: Device = "auto", file: Path = PERSON_DETECTOR, longest: int = LONGEST
) -> PersonDetector:
    """Open and warm up the network. Raises ModelError if its file is missing, broken, or cannot run on the device."""
    if not file.is_file():
        raise ModelError(
            f"expected the network that finds people in {file}, found no file: install harstream again, or write it "
            "with `make backbones`"
        )
    session = open_session(file, device)
    _require_people(session, file)
    return PersonDetector(session, longest)


def reduced(height: float, width: float, longest: int) -> tuple[int, int]:
    """Return height and width of a region of that many pixels, reduced or enlarged so that the longer one fits."""
    scale = longest / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def padded(frame: Pixels) -> Pixels:
    """Add black rows and columns at the bottom and right, up to multiples of 32.

    Stretching a picture of 16:9 to such a size finds a few people fewer; see models/people/CARD.md.
    """
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0)))


def people(output: NDArray[np.float32], seen: Box, region: Box) -> list[DetectedPerson]:
    """Turn the network's output (6, 56) into the people in it, the most certain first, each once.

    `seen`: the part of the picture that the network saw, with its padding. `region`: the part without padding, where
    each box ends. Joints may lie outside of it.
    """
    rows = sorted((row for row in output if row[-1] >= LOWEST_SCORE), key=lambda row: -float(row[-1]))
    return _once(_person(row, seen, region) for row in rows)


def _grown(region: Box, size: tuple[int, int], padded_size: tuple[int, ...]) -> Box:
    """Return the region with the share that padding adds to it."""
    width, height = region.width * padded_size[1] / size[1], region.height * padded_size[0] / size[0]
    return Box(region.left, region.top, region.left + width, region.top + height)


def _person(row: NDArray[np.float32], seen: Box, region: Box) -> DetectedPerson:
    joints = row[: KEYPOINTS * 3].reshape(KEYPOINTS, 3)
    y, x, confidence = joints.T
    keypoints = np.stack([seen.left + x * seen.width, seen.top + y * seen.height, confidence], axis=1)
    top, left, bottom, right, score = (float(value) for value in row[KEYPOINTS * 3 :])
    box = Box(left, top, right, bottom).in_picture(seen).overlap(region)
    return DetectedPerson(box, score, keypoints.astype(np.float32, copy=False))


def _once(found: Iterable[DetectedPerson]) -> list[DetectedPerson]:
    """Leave out who has nearly the same box as a more certain one, and who has no box in the region."""
    kept: list[DetectedPerson] = []
    for person in found:
        if min(person.box.width, person.box.height) > 0 and all(
            _common_share(person.box, other.box) <= SAME_PERSON for other in kept
        ):
            kept.append(person)
    return kept


def _common_share(one: Box, other: Box) -> float:
    """Return the area of the overlap divided by the area that both cover (IoU)."""
    common = one.overlap(other)
    area = max(common.width, 0.0) * max(common.height, 0.0)
    return area / (one.area + other.area - area)


def _require_people(session: onnxruntime.InferenceSession, file: Path) -> None:
    """Run once, so that the first picture is not late. Raises ModelError if the output is not as expected."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(uint8)":
        raise ModelError(
            f"expected a network in {file} that takes one picture in uint8: write it with `make backbones`"
        )
    black = np.zeros((1, LONGEST, LONGEST, 3), np.uint8)
    try:
        shape = np.shape(session.run(None, {inputs[0].name: black})[0])
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"the network in {file} cannot run: {reason(error)}") from error
    if len(shape) != 3 or shape[2] != PERSON:
        raise ModelError(
            f"expected {PERSON} numbers for a person from {file}, got the shape {shape}: write it with `make backbones`"
        )
