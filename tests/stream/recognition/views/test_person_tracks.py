"""People keep their number from one detection to the next."""

from __future__ import annotations

import pytest

from harstream.models.box import Box
from harstream.stream.recognition.views.person_tracks import PersonTracks


def at(x: float, y: float = 0.5) -> Box:
    """Returns the box of a person of a fifth of the width and two fifths of the height."""
    return Box(x - 0.1, y - 0.2, x + 0.1, y + 0.2)


ANN, BOB = at(0.25), at(0.75)


def numbers(detections: list[list[Box]], tracks: PersonTracks | None = None, begin: float = 0.0) -> list[list[int]]:
    """Returns the numbers of the people after each detection, one a second."""
    tracks = tracks or PersonTracks()
    return [sorted(tracks.update(found, begin + second)) for second, found in enumerate(detections)]


def test_people_get_numbers_in_the_order_in_which_they_come_and_are_forgotten_after_three_misses() -> None:
    detections = [[ANN], [ANN], [ANN, BOB], [ANN, BOB], [BOB], [BOB], [BOB]]
    assert numbers(detections) == [[], [1], [1], [1, 2], [1, 2], [1, 2], [2]]


def test_what_is_seen_once_is_nobody() -> None:
    assert numbers([[ANN], [], [BOB], [], [ANN], []]) == [[]] * 6


def test_two_people_who_walk_past_each_other_far_apart_keep_their_numbers() -> None:
    tracks = PersonTracks()
    for second in range(5):
        found = tracks.update([at(0.2 + 0.1 * second, 0.25), at(0.8 - 0.1 * second, 0.75)], float(second))
    assert found[1].top < found[2].top


def test_a_person_who_walks_fast_is_followed_and_a_jump_across_the_room_is_somebody_else() -> None:
    assert numbers([[at(0.2)], [at(0.35)], [at(0.5)]]) == [[], [1], [1]]
    assert numbers([[at(0.2)], [at(0.2)], [at(0.8)], [at(0.8)], [at(0.8)]])[-1] == [2]


def test_who_comes_back_gets_another_number_until_nobody_was_there_for_a_minute() -> None:
    tracks = PersonTracks()
    gone: list[list[Box]] = [[]] * 5
    assert numbers([[ANN], [ANN], *gone, [ANN], [ANN]], tracks)[-1] == [2]
    assert numbers([*gone, [ANN], [ANN]], tracks, begin=80.0)[-1] == [1]


def test_the_box_is_that_of_the_last_seconds_and_trembles_less_than_the_detections() -> None:
    tracks = PersonTracks()
    lefts = []
    for second in range(20):
        boxes = tracks.update([at(0.5 + (0.02 if second % 2 else -0.02))], float(second))
        lefts += [box.left for box in boxes.values()]
    # Two or three boxes of the last 2.4 s have their left side at 0.38 or 0.42. The 15th percentile of three is 0.38
    # or 0.38 + 0.3 * 0.04 = 0.392.
    assert {round(left, 3) for left in lefts[2:]} <= {0.38, 0.392}


def test_people_without_size_do_not_matter() -> None:
    assert numbers([[Box(0.5, 0.5, 0.5, 0.5)]] * 3) == [[], [1], [1]]


@pytest.mark.parametrize("count", [6, 30])
def test_a_crowd_is_followed(count: int) -> None:
    crowd = [at(0.1 + 0.8 * (index % 6) / 6, 0.1 + 0.16 * (index // 6)) for index in range(count)]
    assert numbers([crowd] * 3)[-1] == list(range(1, count + 1))
