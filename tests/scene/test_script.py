from __future__ import annotations

import re
from itertools import islice, pairwise

import pytest

from harstream.scene.script import ACTIVITIES, Segment, script, single


def test_segments_cover_the_time_without_gaps() -> None:
    segments = list(script(3, 200.0))
    assert segments[0].start == 0.0
    assert segments[-1].end == 200.0
    assert all(first.end == second.start for first, second in pairwise(segments))


def test_pauses_and_activities_alternate_and_a_pause_comes_first() -> None:
    segments = list(islice(script(5), 40))
    assert all((segment.activity is None) == (number % 2 == 0) for number, segment in enumerate(segments))


def test_pauses_last_4_to_7_seconds_and_activities_9_to_13() -> None:
    for segment in islice(script(5), 40):
        shortest, longest = (4.0, 7.0) if segment.activity is None else (9.0, 13.0)
        assert shortest - 1e-6 <= segment.end - segment.start <= longest + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_every_activity_occurs_once_per_round_and_none_twice_in_a_row(seed: int) -> None:
    names = [segment.activity for segment in islice(script(seed), 60)][1::2]
    rounds = [names[i : i + 6] for i in range(0, 30, 6)]
    assert all(sorted(map(str, names)) == sorted(ACTIVITIES) for names in rounds)
    assert all(first != second for first, second in pairwise(names))


def test_script_follows_from_the_seed() -> None:
    assert list(script(7, 100.0)) == list(script(7, 100.0))
    assert list(script(7, 100.0)) != list(script(8, 100.0))


def test_a_single_script_is_one_segment() -> None:
    assert list(single("Punch", 4, 6.0)) == [Segment("Punch", 0.0, 6.0, take=4)]


def test_a_single_script_refuses_an_unknown_name() -> None:
    with pytest.raises(ValueError, match=re.escape("or None, got 'Chess'")):
        list(single("Chess", 0, 6.0))
