"""Moves the body between activities: it stands, walks, sits or is away."""

from __future__ import annotations

from math import cos, pi, sin

from harstream.scene.people.poses import Style
from harstream.scene.pose import Pose, blended, eased, points

STRIDE = 0.62
"""Body heights that one cycle of two steps covers."""
OUTSIDE = 1.75
"""Body heights from the person's usual place to well outside the picture."""


def idle(time: float, style: Style) -> Pose:
    """Stand: shift the weight between the legs, breathe, look round, and sometimes raise a hand."""
    slow = sin(0.9 * time + 6 * style.throw(0))
    breath = 0.004 * sin(1.7 * time)
    shift = 0.025 * slow
    busy = eased(2.2 * sin(0.8 * time + 6 * style.throw(1)) - 0.6)
    hands = _idle_hands(style, busy, shift, 0.01 * sin(2.3 * time))
    return Pose(
        hips=points((shift, 0.522 - 0.15 * abs(shift), 0)),
        spine=points((-0.6 * shift, 1, 0.03 + breath + 0.02 * sin(0.6 * time))),
        hands=points(hands),
        feet=points([(0.075, 0.045, 0.015), (-0.075, 0.045, -0.01)]),
        elbows=points([(0.6, -0.3, -0.8), (-0.6, -0.3, -0.8)]),
        twist=0.08 * sin(0.7 * time + 2),
        nod=0.08 + 0.08 * sin(0.5 * time + style.throw(2) * 6) + 0.2 * busy * (style.variant % 4 == 2),
        yaw=style.yaw + 0.15 * sin(0.4 * time),
    )


def _idle_hands(style: Style, busy: float, shift: float, tremble: float) -> list[tuple[float, float, float]]:
    """Return hands that hang while one scratches the head, rest on the hips, hold a telephone, or wave."""
    hanging = (0.165 + shift, 0.51 + tremble, 0.03)
    left, right = [
        (hanging, (-0.09, 0.95, 0.08)),
        ((0.11, 0.56, 0.06), (-0.11 + shift, 0.56, 0.06)),
        (hanging, (-0.02, 0.70, 0.22)),
        (hanging, (-0.24 - 4 * tremble, 0.92, 0.1)),
    ][style.variant % 4]
    rest = (-0.165 + shift, 0.51 - tremble, 0.03)
    x, y, z = (a + (b - a) * busy for a, b in zip(rest, right, strict=True))
    return [left, (x, y, z)]


def walking(time: float, style: Style) -> Pose:
    """Walk to one side, turn, and return to the usual place by the end of the segment."""
    seconds = min(style.seconds, 60.0)
    lap = min(1.0, max(0.0, time / seconds))
    side = 1 if style.variant % 2 else -1
    far = min(OUTSIDE * 1.2, 0.36 * seconds) * (0.6 + 0.4 * style.throw(4))
    across = side * far * (0.5 - 0.5 * cos(2 * pi * lap))
    speed = sin(2 * pi * lap)
    yaw = side * (pi / 2) * max(-1.0, min(1.0, 3 * speed))
    return _step(across, abs(speed), yaw)


def away(time: float, style: Style) -> Pose:
    """Walk out of the picture and back by the end. Stay outside if the segment has no start and no end."""
    side = 1 if style.variant % 2 else -1
    left = style.seconds - time
    gone = eased(time / 2.4) - eased((2.4 - left) / 2.4)
    turn = eased(time / 0.4) - 2 * eased((3.0 - left) / 0.6) + eased((0.4 - left) / 0.4)
    return _step(side * OUTSIDE * gone, min(1.0, 8 * gone * (1 - gone)), side * (pi / 2) * turn)


def sitting(time: float, style: Style) -> Pose:
    """Sit down on a chair, and stay there with small movements."""
    sway = 0.02 * sin(0.9 * time + 6 * style.throw(0))
    busy = eased(2.2 * sin(0.8 * time + 6 * style.throw(1)) - 0.6)
    right = (-0.08, 0.36 + 0.25 * busy, 0.16 - 0.02 * busy)
    seated = Pose(
        hips=points((sway * 0.3, 0.285, -0.06)),
        spine=points((sway, 1, 0.03 + 0.12 * sin(0.45 * time))),
        hands=points([(0.08, 0.36, 0.17 + sway), right]),
        feet=points([(0.07, 0.045, 0.19), (-0.07, 0.045, 0.2 + sway)]),
        elbows=points([(0.7, -0.5, -0.5), (-0.7, -0.5, -0.5)]),
        knees=points([(0.2, 0.5, 1), (-0.2, 0.5, 1)]),
        nod=0.1 + 0.15 * sin(0.5 * time),
        yaw=style.yaw,
    )
    start = 1.3 * style.throw(2)
    return blended(idle(time, style), seated, eased((time - start) / 1.1))


def _step(across: float, pace: float, yaw: float) -> Pose:
    """Return the pose after this distance of a walk; the distance decides the legs, so feet do not slide."""
    turn = 2 * pi * abs(across) / STRIDE
    swing = 0.19 * pace
    feet = [(side * 0.045, *_foot(turn + shift, swing, pace)) for side, shift in ((1, 0.0), (-1, pi))]
    arm = 0.15 * pace * sin(turn)
    return Pose(
        hips=points((0, 0.518 - 0.012 * pace * cos(2 * turn), 0)),
        spine=points((0, 1, 0.05 * pace)),
        hands=points([(0.16, 0.52, 0.03 - arm), (-0.16, 0.52, 0.03 + arm)]),
        feet=points(feet),
        knees=points([(0.05, 0, 1), (-0.05, 0, 1)]),
        twist=0.15 * pace * sin(turn),
        yaw=yaw,
        across=across,
    )


def _foot(turn: float, swing: float, pace: float) -> tuple[float, float]:
    return 0.045 + 0.07 * pace * max(0.0, cos(turn)), swing * sin(turn)
