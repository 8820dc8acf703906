"""Moves a body through the six activities. Each has one function from time to pose."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, pi, sin

from harstream.scene.pose import Pose, eased, points

BAR = 1.27
"""Height of the pull-up bar in body heights."""


@dataclass(frozen=True)
class Style:
    """The manner of one performance of an activity."""

    tempo: float
    """Repetitions per second; for Punch, blows per second."""
    reach: float
    """Extent of the motion: 1 is full."""
    yaw: float
    variant: int
    """Selects a variant of the motion; any number from 0."""
    seconds: float
    """Length of the segment, in seconds."""
    dice: tuple[float, ...]
    """Numbers between 0 and 1 for irregular motions."""

    def throw(self, number: int) -> float:
        return self.dice[number % len(self.dice)]


def jumping_jack(time: float, style: Style) -> Pose:
    """Swing arms and legs out and back, with a hop each way."""
    turn = 2 * pi * style.tempo * time
    spread = eased(0.5 - 0.5 * cos(turn)) * style.reach
    hop = 0.05 * max(0.0, sin(2 * turn)) if sin(turn) >= 0 else 0.04 * max(0.0, sin(2 * turn))
    dip = 0.022 * max(0.0, -sin(2 * turn))
    swing = 0.18 + spread * 2.62
    feet = 0.05 + 0.19 * spread
    hips = 0.525 - 0.5 * feet * feet - dip + hop
    hand = (0.112 + 0.315 * sin(swing), hips + 0.285 - 0.315 * cos(swing), 0.05)
    return Pose(
        hips=points((0, hips, 0)),
        spine=points((0, 1, 0.05 + 0.3 * dip)),
        hands=points([hand, (-hand[0], *hand[1:])]),
        feet=points([(feet, 0.045 + hop, 0), (-feet, 0.045 + hop, 0)]),
        elbows=points([(0.6, -0.6, -0.4), (-0.6, -0.6, -0.4)]),
        knees=points([(0.5, 0, 1), (-0.5, 0, 1)]),
        toes=points([(0.4, -0.2 - 5 * hop, 1), (-0.4, -0.2 - 5 * hop, 1)]),
        yaw=style.yaw,
    )


def jump_rope(time: float, style: Style) -> Pose:
    """Hop with the feet together, and circle the wrists at the hips. The rope passes below during a hop."""
    turn = 2 * pi * style.tempo * time
    hop = 0.075 * style.reach * max(0.0, cos(turn))
    dip = 0.03 * max(0.0, -cos(turn))
    hips = 0.52 - dip + hop
    circle = (0.02 * sin(turn), 0.025 * cos(turn))
    apart = 0.035 if style.variant % 3 else 0.035 + 0.02 * sin(turn / 2)
    hand = (0.25, hips + 0.03 + circle[1], 0.1 + circle[0])
    kick = 0.1 * max(0.0, cos(turn)) if style.variant % 2 else 0.0
    side = sin(turn / 2) > 0
    return Pose(
        hips=points((0, hips, 0)),
        spine=points((0, 1, 0.06 + dip)),
        hands=points([hand, (-hand[0], *hand[1:])]),
        feet=points([(apart, 0.045 + hop, kick * side), (-apart, 0.045 + hop, kick * (not side))]),
        elbows=points([(0.4, 0, -1), (-0.4, 0, -1)]),
        toes=points([(0.15, -0.2 - 6 * hop, 1), (-0.15, -0.2 - 6 * hop, 1)]),
        yaw=style.yaw,
    )


def push_ups(time: float, style: Style) -> Pose:
    """Turn the straight body about its toes while the arms bend."""
    low = eased(0.5 - 0.5 * cos(2 * pi * style.tempo * time))
    shoulder = 0.35 - (0.22 * style.reach) * low
    tilt = asin((shoulder - 0.085) / 0.79)
    ankle = (0.085, -0.52)
    sag = -0.012 + 0.03 * low * (style.throw(0) - 0.3)
    hips = (ankle[0] + 0.49 * sin(tilt) - sag, ankle[1] + 0.485 * cos(tilt))
    hand = (0.15 + 0.05 * style.throw(1), 0.03, ankle[1] + 0.79 * cos(tilt) - 0.005 + 0.03 * low)
    return Pose(
        hips=points((0, *hips)),
        spine=points((0, shoulder - hips[0], ankle[1] + 0.79 * cos(tilt) - hips[1])),
        hands=points([hand, (-hand[0], *hand[1:])]),
        feet=points([(0.05, *ankle), (-0.05, *ankle)]),
        elbows=points([(0.7, 0.3, -0.8), (-0.7, 0.3, -0.8)]),
        knees=points([(0, -1, 0.1), (0, -1, 0.1)]),
        toes=points([(0, -1, 0.15), (0, -1, 0.15)]),
        nod=-0.35 + 0.25 * low,
        yaw=style.yaw,
    )


def pull_ups(time: float, style: Style) -> Pose:
    """Hang from the bar and pull up until the chin is over it, a little faster up than down."""
    turn = 2 * pi * style.tempo * time
    high = eased(0.5 - 0.5 * cos(turn + 0.35 * sin(turn))) * min(1.0, style.reach)
    shoulder = BAR - 0.325 + 0.25 * high
    sway = 0.03 * sin(0.5 * turn + 1)
    hips = (0.012 * sin(turn), shoulder - 0.285, sway - 0.05 * high)
    tuck = 0.06 + 0.2 * style.throw(0) + 0.06 * high
    grip = 0.16 + 0.09 * style.throw(1)
    kick = 0.05 * sin(turn + 0.6)
    return Pose(
        hips=points(hips),
        spine=points((0, 1, 0.06 - 0.15 * high - 0.3 * sway)),
        hands=points([(grip, BAR - 0.01, 0.05), (-grip, BAR - 0.01, 0.05)]),
        feet=points(
            [
                (0.045, hips[1] - 0.47 + tuck * 0.6, -tuck + kick),
                (-0.045, hips[1] - 0.47 + tuck * 0.5, -tuck - kick - 0.03),
            ]
        ),
        elbows=points([(1, -0.6, 0.1), (-1, -0.6, 0.1)]),
        toes=points([(0.1, -1, 0.5), (-0.1, -1, 0.5)]),
        nod=-0.25 * high,
        yaw=style.yaw,
    )


def lunges(time: float, style: Style) -> Pose:
    """Take a long step forward, lower the back knee to the floor, and step back. The legs alternate."""
    phase = (style.tempo * time) % 2.0
    left_leads = phase < 1.0
    step = phase % 1.0
    out = eased(step / 0.32) - eased((step - 0.68) / 0.32)
    down = (eased((step - 0.12) / 0.34) - eased((step - 0.54) / 0.34)) * style.reach
    lift = 0.11 * sin(pi * min(1.0, step / 0.32)) + 0.11 * sin(pi * max(0.0, (step - 0.68) / 0.32))
    hips = (0.0, 0.52 - 0.2 * down - 0.03 * out, 0.17 * out)
    front = (0.07, 0.045 + lift, 0.44 * out)
    back = (0.07, 0.045 + 0.075 * out, -0.2 * out)
    feet = [front, (-back[0], *back[1:])] if left_leads else [back, (-front[0], *front[1:])]
    forward, heel_up = (0.05, -0.2, 1), (0.05, -0.2 - 0.9 * out, 1)
    return Pose(
        hips=points(hips),
        spine=points((0, 1, 0.08 + 0.06 * down)),
        hands=points(_lunging_hands(style, hips)),
        feet=points(feet),
        elbows=points([(0.8, -0.6, -0.6), (-0.8, -0.6, -0.6)]),
        knees=points([(0.05, -0.2, 1), (-0.05, -0.2, 1)]),
        toes=points([forward, heel_up] if left_leads else [heel_up, forward]),
        yaw=style.yaw,
    )


def _lunging_hands(style: Style, hips: tuple[float, float, float]) -> list[tuple[float, float, float]]:
    """Return hands that hold a barbell on the shoulders, hold dumbbells at the sides, or rest on the hips."""
    _, y, z = hips
    hand = [(0.23, y + 0.28, z + 0.03), (0.17, y - 0.03, z + 0.03), (0.1, y + 0.05, z + 0.06)][style.variant % 3]
    return [hand, (-hand[0], *hand[1:])]


def punch(time: float, style: Style) -> Pose:
    """Stand like a boxer on springy knees, with jabs and crosses at irregular moments."""
    left, right = blows(time, style)
    bounce = 2 * pi * 1.4 * time
    sway = 0.03 * sin(2 * pi * 0.45 * time + 6 * style.throw(3))
    hips = (sway, 0.48 + 0.013 * sin(bounce), 0.02 + 0.05 * (left + right))
    aim = 0.06 * (style.throw(int(time * style.tempo) + 7) - 0.5)
    guard = 0.74 + 0.01 * sin(bounce)
    reach = 0.33 * style.reach
    return Pose(
        hips=points(hips),
        spine=points((0.3 * sway, 1, 0.14 + 0.12 * (left + right))),
        hands=points(
            [
                (0.08 - 0.07 * left + sway, guard + (0.06 + aim) * left, 0.2 + reach * left),
                (-0.09 + 0.08 * right + sway, guard + (0.06 + aim) * right, 0.15 + reach * right),
            ]
        ),
        feet=points([(0.07, 0.045, 0.17), (-0.09, 0.06, -0.17 + 0.03 * right)]),
        elbows=points([(0.5, -1, 0), (-0.5, -1, 0)]),
        toes=points([(-0.3, -0.2, 1), (-0.7, -0.3, 0.8)]),
        twist=-0.35 - 0.25 * left + 0.85 * right,
        nod=0.12,
        yaw=style.yaw,
    )


def blows(time: float, style: Style) -> tuple[float, float]:
    """Return how far the left and the right fist are out, 0 to 1."""
    left = right = 0.0
    latest = int(time * style.tempo)
    for number in (latest, latest - 1):
        if number < 0 or style.throw(number) < 0.12:
            continue
        begin = (number + 0.5 * style.throw(number + 3)) / style.tempo
        out = _blow(time - begin)
        if (number + (style.throw(number + 5) > 0.7)) % 2:
            right = max(right, out)
        else:
            left = max(left, out)
    return left, right


def _blow(since: float) -> float:
    """Return how far a fist is out `since` seconds after its blow began. It moves out faster than back."""
    return eased(since / 0.13) if since < 0.16 else 1.0 - eased((since - 0.16) / 0.22)
