"""Shows the model a box around each person in front of a camera."""

from __future__ import annotations

import math
from collections.abc import Callable

from harstream.models.box import WHOLE, Box
from harstream.models.picture import Picture
from harstream.stream.recognition.protocols import Detector
from harstream.stream.recognition.views.motion import Motion
from harstream.stream.recognition.views.person_tracks import PersonTracks
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.recognition.views.view import MotionView, Sight, View, fitted, steady, view_without_network

EVERY = 1.0
"""Seconds between two detections. At half that rate, 5 points fewer windows are right; twice as often gains nothing."""
AT_REST = 10.0
"""The same while nothing moves. Somebody may have been missed before."""
MARGIN = 1.2
"""Factor from the box around a person to what the model sees. With 1.5, small people are recognized less often."""


class PersonView:
    """Shows the model a box around each person. While nobody is found, it shows the box of what moves."""

    def __init__(self, detector: Detector, region: Box = WHOLE) -> None:
        self.region = region
        self._detector = detector
        self._tracks = PersonTracks()
        self._people: dict[int, Box] = {}
        """What the model sees of each person who is followed."""
        self._of_motion = MotionView(region)
        self._detected_at = -math.inf

    def update(self, picture: Picture, motion: Motion, time: float) -> tuple[Sight, ...]:
        if time - self._detected_at >= (AT_REST if motion.is_quiet else EVERY):
            self._detected_at = time
            self._detect(picture, time)
        unknown = self._of_motion.update(picture, motion, time)
        return tuple(Sight(person, box) for person, box in self._people.items()) or unknown

    def clear(self) -> None:
        self._tracks.clear()
        self._people.clear()
        self._of_motion.clear()
        self._detected_at = -math.inf

    def _detect(self, picture: Picture, time: float) -> None:
        found = [person.box for person in self._detector.detect(picture, self.region)]
        wanted = {
            person: fitted(box, MARGIN, picture.size, self.region)
            for person, box in self._tracks.update(found, time).items()
        }
        self._people = {person: steady(self._people.get(person, box), box) for person, box in wanted.items()}


def new_view(settings: ViewSettings, detector: Callable[[], Detector]) -> View:
    """Return a view. `detector` is called only if the view needs one."""
    return PersonView(detector(), settings.region) if settings.kind == "person" else view_without_network(settings)
