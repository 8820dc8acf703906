"""The history returns the events that were written."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harstream.stream.history.store import (
    PastActivity,
    Query,
    activities,
    connect,
    reading,
    write,
)
from harstream.wire.errors import ConfigError
from harstream.wire.topics import NAME
from harstream.wire.values import (
    Confidence,
    EndReason,
    Event,
    EventType,
    LabelScore,
    Previous,
)

NOON = 1_700_000_000.0

DAY = 86_400.0

scores = st.floats(0, 1)

times = st.floats(0, 4e9)

events = st.builds(
    Event,
    type=st.just(EventType.END),
    id=st.text(min_size=1),
    seq=st.integers(2, 10_000),
    camera=st.from_regex(NAME, fullmatch=True),
    activity=st.text(),
    label_id=st.integers(0, 1000),
    confidence=st.builds(Confidence, scores, scores, scores),
    topk=st.lists(st.builds(LabelScore, st.text(), scores), max_size=3).map(tuple),
    started_at=times,
    updated_at=times,
    detected_at=times,
    ended_at=times,
    end_reason=st.sampled_from(EndReason),
    previous=st.none() | st.builds(Previous, st.text(), scores),
    historical=st.booleans(),
    person=st.none() | st.integers(1, 1000),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


@given(events)
def test_event_is_read_back_unchanged(event: Event) -> None:
    with closing(connect(Path(":memory:"))) as database:
        write(database, [PastActivity(event, None, "lrcn", "1.0.0")])
        assert list(activities(database, Query())) == [PastActivity(event, None, "lrcn", "1.0.0")]


@given(st.permutations(range(1, 6)))
def test_event_with_the_highest_seq_is_kept_in_any_order(order: list[int]) -> None:
    confidence = Confidence(0.5, 0.5, 0.5)
    with closing(connect(Path(":memory:"))) as database:
        for seq in order:
            event = Event(EventType.UPDATE, "01A", seq, "hall", "Wave", 1, confidence, (), NOON, NOON + seq, NOON)
            write(database, [PastActivity(event, "Hallway", "lrcn", "1.0.0")])
        (past,) = activities(database, Query())
    assert (past.event.seq, past.event.updated_at) == (5, NOON + 5)


def test_reader_creates_no_history(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no history in .*: `harstream run` creates one"):
        reading(tmp_path / "history.sqlite").__enter__()
    assert list(tmp_path.iterdir()) == []
