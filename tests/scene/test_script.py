from __future__ import annotations

import re
from collections import Counter
from itertools import islice, pairwise

import pytest

from harstream.scene.script import ACTIVITIES, Segment, routine, script, single


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


def test_a_routine_has_an_order_that_it_keeps_nine_of_ten_times() -> None:
    names = [segment.activity for segment in islice(routine(8), 2001)][1::2]
    assert set(names) == set(ACTIVITIES)
    assert all(first != second for first, second in pairwise(names))
    usual = [Counter(after for now, after in pairwise(names) if now == name).most_common(1)[0] for name in ACTIVITIES]
    assert len({name for name, _ in usual}) == len(ACTIVITIES)  # one order, not a few favourites
    # 999 changes with p = 0.9: 899 are usual, with a standard deviation of 9.
    assert 860 < sum(count for _, count in usual) < 940


def test_a_routine_changes_every_twelve_seconds() -> None:
    segments = list(routine(8, 600.0))
    assert segments[-1].end == 600.0
    assert 45 <= sum(segment.activity is not None for segment in segments) <= 55
    assert all(first.end == second.start for first, second in pairwise(segments))


def test_a_single_script_is_one_segment() -> None:
    assert list(single("Punch", 4, 6.0)) == [Segment("Punch", 0.0, 6.0, take=4)]


def test_a_single_script_refuses_an_unknown_name() -> None:
    with pytest.raises(ValueError, match=re.escape("or None, got 'Chess'")):
        list(single("Chess", 0, 6.0))
