"""Follows people from one detection to the next, and gives each a number for the time of the visit."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from harstream.models.box import Box

SIGHTINGS = 2
"""Detections after which somebody is followed. A chair that looks like a person once is not."""
PATIENCE = 2
"""Detections in a row that may miss somebody who is followed."""
FARTHEST = 1.0
"""The longest way between two detections, in heights of the person. Somebody farther away is somebody else."""
REMEMBERED = 2.4
"""Seconds of boxes that give the box of a person, because single boxes tremble."""
PERCENTILES = 15, 85
"""The box of a person begins and ends at these percentiles of the sides of the remembered boxes."""
VISIT = 60.0
"""Seconds without anybody after which numbers start at 1 again."""


class _Track:
    def __init__(self, box: Box, time: float) -> None:
        self.number = 0
        """0 until the person was seen often enough."""
        self.boxes = deque([(time, box)])
        self.sightings = 1
        self.missed = 0

    @property
    def last(self) -> Box:
        return self.boxes[-1][1]

    def see(self, box: Box, time: float) -> None:
        self.boxes.append((time, box))
        while time - self.boxes[0][0] > REMEMBERED:
            self.boxes.popleft()
        self.sightings += 1
        self.missed = 0

    def miss(self) -> None:
        self.missed += 1

    @property
    def is_lost(self) -> bool:
        return self.missed > PATIENCE or (self.missed > 0 and self.number == 0)

    def box(self) -> Box:
        """Return the box that contains the person during the remembered time."""
        sides = np.array([(box.left, box.top, box.right, box.bottom) for _, box in self.boxes])
        low, high = np.percentile(sides, PERCENTILES, axis=0)
        return Box(float(low[0]), float(low[1]), float(high[2]), float(high[3]))


class PersonTracks:
    """Follows the people in front of one camera. It knows no faces: who comes back gets another number.

    Each found person continues the nearest track. Source: the greedy assignment of Bewley et al. 2016, "Simple online
    and realtime tracking", by distance in place of overlap, because a second passes between two detections.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._numbers = 0
        self._seen_at = -math.inf

    def update(self, found: Sequence[Box], time: float) -> dict[int, Box]:
        """Add the boxes of a detection at `time`, in seconds. Return the box of each person who is followed, by number.

        found:     A   A   A+B  A+B  B   B   B
        returned:  ~   1   1    1,2  1,2 1,2 2
        """
        left = dict(enumerate(found))
        for _, index, track in sorted(self._pairs(found), key=lambda pair: pair[0]):
            if index in left and track.boxes[-1][0] < time:
                track.see(left.pop(index), time)
        for track in self._tracks:
            if track.boxes[-1][0] < time:
                track.miss()
        self._tracks = [track for track in self._tracks if not track.is_lost]
        self._tracks += [_Track(box, time) for box in left.values()]
        self._number(time)
        return {track.number: track.box() for track in self._tracks if track.number}

    def clear(self) -> None:
        """Forget where people were. Numbers go on."""
        self._tracks.clear()

    def _pairs(self, found: Sequence[Box]) -> list[tuple[float, int, _Track]]:
        """Return (distance, index of a box, track) for all that may belong together."""
        pairs = [
            (_distance(track.last, box), index, track) for track in self._tracks for index, box in enumerate(found)
        ]
        return [pair for pair in pairs if pair[0] <= FARTHEST]

    def _number(self, time: float) -> None:
        """Give a number to each person who was seen often enough."""
        if not any(track.number for track in self._tracks) and time - self._seen_at > VISIT:
            self._numbers = 0
        for track in self._tracks:
            if not track.number and track.sightings >= SIGHTINGS:
                self._numbers += 1
                track.number = self._numbers
        if any(track.number and not track.missed for track in self._tracks):
            self._seen_at = time


def _distance(before: Box, after: Box) -> float:
    """Return the distance between the centres in units of the mean size of the boxes."""
    (x, y), (later_x, later_y) = before.centre, after.centre
    return math.hypot(
        (later_x - x) / _mean(before.width, after.width), (later_y - y) / _mean(before.height, after.height)
    )


def _mean(one: float, other: float) -> float:
    return max((one + other) / 2, 1e-6)
