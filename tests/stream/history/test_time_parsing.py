from __future__ import annotations

import pytest

from harstream.stream.history.time_parsing import parse_time

pytestmark = pytest.mark.usefixtures("berlin_time")

NOON = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", NOON - 90),
        ("2h", NOON - 7200),
        ("1.5d", NOON - 129_600),
        ("2023-11-14", 1_699_916_400.0),  # 2023-11-13T23:00:00Z is midnight in Berlin
        ("2023-11-14 23:13:20", NOON),
        ("2023-11-14T22:13:20Z", NOON),
        ("2023-11-14T22:13:20.000+00:00", NOON),
        ("2023-07-01 12:00", 1_688_205_600.0),  # 10:00 UTC
    ],
)
def test_time_may_be_written_in_several_ways(text: str, seconds: float) -> None:
    assert parse_time(text, NOON) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2", "2 hours", "2023-13-01", "-2h", "0001-01-01", "nan"])
def test_invalid_time_is_refused_with_the_valid_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected 2h \(ago; .*; got '"):
        parse_time(text, NOON)
