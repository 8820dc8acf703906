"""Computes the joints of a body with bones of fixed length from a pose."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin, sqrt

import numpy as np

from harstream.scene.pose import Points, Pose, points

# Body heights. Source: Winter, "Biomechanics and Motor Control of Human Movement", 4th ed., figure 4.1, rounded.
TORSO, NECK, THIGH, SHIN = 0.30, 0.118, 0.245, 0.245
UPPER_ARM, FOREARM, HAND, FOOT = 0.172, 0.155, 0.045, 0.095
SHOULDER, HIP = 0.112, 0.055


@dataclass(frozen=True)
class Skeleton:
    """The joints (3,) and pairs of joints (2, 3), left then right, in the world.

    The world is the person's frame turned by the yaw: x to the right of the picture, y up, z towards the camera.
    """

    hips: Points
    neck: Points
    head: Points
    face: Points
    """Direction of the face, length 1."""
    left: Points
    """Direction of the left shoulder, length 1."""
    front: Points
    """Direction of the chest, length 1."""
    shoulders: Points
    elbows: Points
    wrists: Points
    hands: Points
    sockets: Points
    """The hip joints."""
    knees: Points
    ankles: Points
    toes: Points


def skeleton(pose: Pose) -> Skeleton:
    spine = _unit(pose.spine)
    left = points((cos(pose.twist), 0.0, sin(pose.twist)))
    left = _unit(left - spine * (left @ spine))
    front = np.cross(left, spine)
    neck = pose.hips + spine * TORSO
    shoulders = np.stack((neck + left * SHOULDER, neck - left * SHOULDER)) - spine * 0.015
    sockets = pose.hips + points([(HIP, 0, 0), (-HIP, 0, 0)])
    arms = [_bend(shoulders[i], pose.hands[i], UPPER_ARM, FOREARM, pose.elbows[i]) for i in (0, 1)]
    legs = [_bend(sockets[i], pose.feet[i], THIGH, SHIN, pose.knees[i]) for i in (0, 1)]
    grips = [wrist + _unit(wrist - elbow) * HAND * 0.6 for elbow, wrist in arms]
    tips = [ankle + _unit(toe) * FOOT for (_, ankle), toe in zip(legs, pose.toes, strict=True)]
    head = neck + _unit(spine + front * pose.nod) * NECK
    places = np.stack((pose.hips, neck, head, *shoulders, *sockets))
    limbs = np.stack([joint for pair in (*arms, *legs) for joint in pair] + grips + tips)
    directions = np.stack((_unit(front - spine * pose.nod), left, front))
    return _turned(places, limbs, directions, pose)


def _turned(places: Points, limbs: Points, directions: Points, pose: Pose) -> Skeleton:
    turn = points([(cos(pose.yaw), 0, -sin(pose.yaw)), (0, 1, 0), (sin(pose.yaw), 0, cos(pose.yaw))])
    hips, neck, head, *rest = places @ turn + (pose.across, 0, 0)
    limbs = limbs @ turn + (pose.across, 0, 0)
    face, left, front = directions @ turn
    return Skeleton(
        hips=hips, neck=neck, head=head, face=face, left=left, front=front,
        shoulders=np.stack(rest[:2]), sockets=np.stack(rest[2:]),
        elbows=limbs[[0, 2]], wrists=limbs[[1, 3]], knees=limbs[[4, 6]], ankles=limbs[[5, 7]],
        hands=limbs[8:10], toes=limbs[10:12],
    )  # fmt: skip


def _bend(root: Points, target: Points, upper: float, lower: float, pole: Points) -> tuple[Points, Points]:
    """Return the middle joint and the end of two bones that reach for `target` and bend towards `pole`.

    The law of cosines gives them.
    """
    reach = target - root
    distance = max(1e-6, sqrt(reach @ reach))
    straight = reach / distance
    distance = min(max(distance, abs(upper - lower) + 0.02), (upper + lower) * 0.999)
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    aside = _unit(pole - straight * (pole @ straight) + 1e-9)
    middle = root + straight * along + aside * sqrt(max(0.0, upper**2 - along**2))
    return middle, root + straight * distance


def _unit(vector: Points) -> Points:
    return vector / sqrt(max(1e-12, float(vector @ vector)))
