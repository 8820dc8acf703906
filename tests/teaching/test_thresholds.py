"""Thresholds keep ordinary footage quiet first, and then find as many examples as possible."""

from __future__ import annotations

from collections import Counter

import pytest

from harstream.teaching.thresholds import Count, choose_threshold, confusions, most_a_day, seconds_to_show

DAY = 86400.0


def up_to(*scores: float) -> Count:
    """Returns a count of events of Cooking whose scores reach a threshold."""
    return lambda threshold: Counter({"Cooking": sum(score >= threshold for score in scores)})


@pytest.mark.parametrize(
    ("found", "false", "days", "highest", "value", "false_events", "is_quiet"),
    [
        pytest.param(up_to(0.9, 0.9, 0.9), up_to(0.62), 0.1, 0.85, 0.75, 0, True, id="a margin on both sides"),
        pytest.param(up_to(0.9, 0.7, 0.72), up_to(0.62), 0.1, 0.85, 0.7, 0, True, id="no margin that costs examples"),
        pytest.param(up_to(0.9, 0.7, 0.72), up_to(0.88), 0.1, 0.85, 0.9, 0, True, id="quiet before found"),
        pytest.param(up_to(0.9), up_to(1.0), 0.1, 0.85, 0.99, 1, False, id="never quiet"),
        pytest.param(up_to(0.6), up_to(0.88, 0.58), 1.5, 0.5, 0.6, 1, True, id="one a day is allowed"),
        pytest.param(up_to(0.6), up_to(), 0.0, 0.85, 0.55, 0, True, id="no footage"),
    ],
)
def test_the_threshold_of_an_activity(
    found: Count, false: Count, days: float, highest: float, value: float, false_events: int, is_quiet: bool
) -> None:
    chosen = choose_threshold("Cooking", found, false, days * DAY, highest)
    assert (chosen.value, chosen.false_events, chosen.is_quiet) == (value, false_events, is_quiet)


def test_what_footage_can_show() -> None:
    assert most_a_day(0, DAY) == pytest.approx(3.0, abs=0.01)  # the rule of three
    assert most_a_day(0, DAY / 48) == pytest.approx(143.8, abs=0.1)
    assert most_a_day(2, DAY) == pytest.approx(6.30, abs=0.01)  # Garwood's table
    assert seconds_to_show(1) == pytest.approx(3.0 * DAY, rel=0.01)


def test_pairs_that_are_mixed_up() -> None:
    pairs = [("A", "A")] * 3 + [("A", "B")] * 2 + [("B", "B")] * 4 + [("B", "A")] + [("C", "C")] * 5
    assert confusions(pairs) == [("A", "B", 3, 10)]
    assert confusions([("A", "PushUps")] * 2 + [("A", "A")] * 3) == [("A", "PushUps", 2, 5)]
