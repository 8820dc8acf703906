"""Chooses motion, style and props of a segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, pi

import numpy as np

from harstream.scene.people import pauses, poses
from harstream.scene.people.poses import Style
from harstream.scene.pose import Pose
from harstream.scene.script import Segment

Motion = Callable[[float, Style], Pose]


@dataclass(frozen=True)
class Part:
    """A motion with its usual tempo (hertz) and the angles (degrees) from which it is usually filmed."""

    motion: Motion
    tempo: tuple[float, float]
    yaw: tuple[float, float]
    prop: str = ""


PARTS: dict[str, Part] = {
    "JumpingJack": Part(poses.jumping_jack, (0.8, 1.2), (0, 28)),
    "JumpRope": Part(poses.jump_rope, (1.7, 2.4), (0, 35), "rope"),
    "Lunges": Part(poses.lunges, (0.33, 0.5), (35, 85), "weights"),
    "PullUps": Part(poses.pull_ups, (0.33, 0.52), (0, 22), "bar"),
    "Punch": Part(poses.punch, (2.1, 3.2), (60, 105), "gloves"),
    "PushUps": Part(poses.push_ups, (0.5, 0.85), (58, 92)),
    "idle": Part(pauses.idle, (1, 1), (0, 50)),
    "walking": Part(pauses.walking, (1, 1), (90, 90)),
    "sitting": Part(pauses.sitting, (1, 1), (15, 65), "chair"),
    "away": Part(pauses.away, (1, 1), (90, 90)),
}
PAUSES = ("idle", "walking", "sitting", "away")
CHANCES = (0.42, 0.26, 0.2, 0.12)
STAYING = ("idle", "sitting")
"""Pauses of somebody who does not walk into another person."""


@dataclass(frozen=True)
class Role:
    """A segment with its motion, style and props. Times are seconds since the film began."""

    part: Part
    style: Style
    start: float
    shift: float = 0.0
    """Seconds to add to the time within the segment."""

    def time(self, now: float) -> float:
        return now - self.start + self.shift

    def pose(self, now: float) -> Pose:
        return self.part.motion(self.time(now), self.style)


def role(segment: Segment, seed: int, side: int, *, opens: bool, closes: bool, stays: bool = False) -> Role:
    """Return how the person of film `seed` plays a segment. `side`, 1 or -1, is the side that they prefer to face.

    `opens` and `closes` mark the first and the last segment of the film. A person who is away there does not enter.
    `stays`: the person never walks about.
    """
    random = np.random.default_rng((seed, 2, segment.take))
    name = segment.activity or str(random.choice(STAYING) if stays else random.choice(PAUSES, p=CHANCES))
    part = PARTS[name]
    yaw = float(random.uniform(*part.yaw)) * pi / 180 * side
    if name == "PullUps" and random.random() < 0.35:
        yaw = pi * side + yaw
    seconds = segment.end - segment.start
    # Seconds before the film begins: an absent person has already left, an activity has already begun.
    begun = 10.0 if name == "away" else float(random.uniform(0, 4)) if segment.activity else 0.0
    shift = begun if opens else 0.0
    style = Style(
        tempo=float(random.uniform(*part.tempo)),
        reach=float(random.uniform(0.86, 1.06)),
        yaw=yaw,
        variant=int(random.integers(12)),
        seconds=inf if name == "away" and closes else seconds + shift,
        dice=tuple(float(x) for x in random.random(61)),
    )
    return Role(part, style, segment.start, shift)
