"""Joins labelled clips to long streams whose activities are known at each time."""

from __future__ import annotations

import random
from collections.abc import Collection, Generator, Iterator, Sequence
from itertools import accumulate, groupby

from harstream.clips.listing import Clip
from harstream.clips.video import VideoError, pictures, stated_seconds
from harstream.evaluation.clip_runner import Skipped
from harstream.evaluation.streams.event_metrics import Segment
from harstream.wire.values import Frame

SEED = 1
"""The seed for the order of the clips. All models have the same seed, so that their figures are comparable."""
LENGTH = 600.0
"""The approximate length of a stream, in seconds."""
ONE_PICTURE = 1 / 25
"""Seconds for which a clip of a single picture is shown."""


class ClipStream:
    """A FrameSource that shows clips one after the other, without gaps.

    Three clips of a quarter of a second, at 8, 12 and 8 Hz:
    clip:   Jump        Walk                 nobody
    time:   0.0  0.125  0.25  0.333  0.417   0.5  0.625
    truth:  Jump, 0 to 0.25; Walk, 0.25 to 0.5; None, 0.5 to 0.75
    """

    is_live = False

    def __init__(self, camera: str, clips: Sequence[Clip], background: Collection[str]) -> None:
        """`background` are the labels that mean "none of the activities"."""
        self.camera = camera
        self.clips = tuple(clips)
        self.skipped: list[Skipped] = []
        """Clips that cannot be shown. The list is complete after the last frame."""
        self._background = background
        self._shown: list[Segment] = []

    @property
    def truth(self) -> tuple[Segment, ...]:
        """What was shown, from 0 to the end without gaps. Neighbouring clips of one activity are one segment."""
        groups = [list(group) for _, group in groupby(self._shown, key=lambda segment: segment.activity)]
        return tuple(Segment(group[0].activity, group[0].start, group[-1].end) for group in groups)

    @property
    def done(self) -> int:
        """Clips shown or skipped so far."""
        return len(self._shown) + len(self.skipped)

    def frames(self) -> Iterator[Frame]:
        """Yield all frames, once only."""
        start = 0.0
        for clip in self.clips:
            try:
                end = yield from self._frames_of(clip, start)
            except VideoError as error:
                self.skipped.append(Skipped(clip, str(error)))
                continue
            activity = None if clip.label in self._background else clip.label
            self._shown.append(Segment(activity, start, end))
            start = end

    def _frames_of(self, clip: Clip, start: float) -> Generator[Frame, None, float]:
        """Return the start of the next clip: one frame period after the last picture."""
        last, count = 0.0, 0
        for time, picture in pictures(clip.path):
            yield Frame(self.camera, start + time, picture)
            last, count = time, count + 1
        return start + last + (last / (count - 1) if count > 1 else ONE_PICTURE)


def join(clips: Sequence[Clip], background: Collection[str], *, seed: int, length: float = LENGTH) -> list[ClipStream]:
    """Divide all clips into streams of about `length` seconds, by the lengths that the files state.

    The result depends on the clips and the seed alone.
    """
    turns = in_turns(clips, background, seed=seed)
    seconds = [sum(stated_seconds(clip.path) for clip in turn) for turn in turns]
    starts = [0.0, *accumulate(seconds)]
    count = max(round(starts[-1] / length), 1)
    dealt: list[list[Clip]] = [[] for _ in range(count)]
    for turn, start in zip(turns, starts, strict=False):
        dealt[min(int(start / length), count - 1)] += turn
    return [ClipStream(f"stream{number}", part, background) for number, part in enumerate(dealt, start=1) if part]


def in_turns(clips: Sequence[Clip], background: Collection[str], *, seed: int) -> list[list[Clip]]:
    """Return the turns. A turn is one clip of an activity after its share of background clips, or one background clip.

    Activities J, W, J with two background clips b:   [J] [b W] [b J]
    """
    shuffled = sorted(clips, key=lambda clip: clip.path)
    random.Random(seed).shuffle(shuffled)
    nobody = [clip for clip in shuffled if clip.label in background]
    activities = _apart([clip for clip in shuffled if clip.label not in background])
    if not activities:
        return [[clip] for clip in nobody]
    A, B = len(activities), len(nobody)
    return [[*nobody[B * turn // A : B * (turn + 1) // A], clip] for turn, clip in enumerate(activities)]


def _apart(clips: Sequence[Clip]) -> list[Clip]:
    """Keep the order, but put another activity between two clips of the same activity."""
    waiting, ordered = list(clips), []
    label = None
    while waiting:
        following = next((clip for clip in waiting if clip.label != label), waiting[0])
        waiting.remove(following)
        ordered.append(following)
        label = following.label
    return ordered
