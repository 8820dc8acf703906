"""Activities that overlap. The one that began last goes on, and the outer one resumes after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harstream.forecast.learning.episodes import Episode


@dataclass(frozen=True)
class Part:
    """A time in which an episode is the one that goes on."""

    index: int
    """The place of the whole episode in the sequence."""
    number: int
    """1 for the first part of an episode."""
    episode: Episode
    """With the start and the end of this part."""


def one_at_a_time(episodes: Sequence[Episode]) -> list[Part]:
    """Return the parts in the order of time, so that no two overlap.

    before:  Sleep 0-100  Toilet 40-50
    after:   Sleep 0-40   Toilet 40-50   Sleep 50-100
    """
    parts: list[Part] = []
    waiting: list[tuple[int, int]] = []
    """Episodes that go on, the innermost last, each with the number of its next part."""
    time = float("-inf")
    for index in sorted(range(len(episodes)), key=lambda each: (episodes[each].start, -episodes[each].end)):
        parts.extend(_until(episodes[index].start, time, waiting, episodes))
        waiting.append((index, 1))
        time = episodes[index].start
    parts.extend(_until(float("inf"), time, waiting, episodes))
    return parts


def _until(limit: float, time: float, waiting: list[tuple[int, int]], episodes: Sequence[Episode]) -> Iterator[Part]:
    """Yield the parts from `time` to `limit`, and drop the episodes that end before it."""
    while waiting and time < limit:
        index, number = waiting[-1]
        whole = episodes[index]
        end = min(whole.end, limit)
        if end > time:
            is_end_seen = whole.is_end_seen or end < whole.end
            yield Part(index, number, replace(whole, start=time, end=end, is_end_seen=is_end_seen))
            waiting[-1] = (index, number + 1)
            time = end
        if whole.end <= time:
            waiting.pop()
