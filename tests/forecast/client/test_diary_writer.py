"""A message is acknowledged once it is in the diary, and what finds no place is not."""

from __future__ import annotations

import threading

import pytest

from harstream.forecast.client import background
from harstream.forecast.client.background import Background, Workers
from harstream.forecast.client.diary import Diary
from harstream.forecast.client.diary_writer import DiaryWriter, once_written
from harstream.forecast.client.evidence import Recognizer
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.forecast.learning.episodes import Episode
from harstream.wire.values import EventType
from tests.forecast.client.household import MONDAY, ZONE, AtOnce, event, labels_message
from tests.forecast.client.test_learner import WhenTold


def test_an_end_is_acknowledged_when_it_is_in_the_diary_and_so_is_its_repeat(diary: Diary) -> None:
    writing, acknowledged = WhenTold(), list[str]()
    recognizer = Recognizer(labels_message(), None)
    settings = ForecasterSettings("home", Scope.CAMERA, "mix", ZONE)
    learned = learn(diary, recognizer.states, settings, MONDAY)
    forecaster = Forecaster(recognizer, diary, Workers(AtOnce(), AtOnce(), writing), learned, settings)
    for kind in (EventType.START, EventType.UPDATE, EventType.END, EventType.END):
        end = MONDAY + 60 if kind is EventType.END else None
        writes = forecaster.handle(event(kind, "Work", MONDAY, end), MONDAY + 60)
        once_written(writes, lambda kind=kind: acknowledged.append(kind.value))  # type: ignore[misc]

    assert acknowledged == ["update"]  # the diary has nothing of it
    assert diary.episodes("hall") == []
    writing.work()
    assert acknowledged == ["update", "start", "end", "end"]
    assert diary.episodes("hall") == [Episode("Work", MONDAY, MONDAY + 60)]


def test_new_episodes_are_counted_once_they_are_written(diary: Diary) -> None:
    writing = WhenTold()
    writer = DiaryWriter(diary, writing)
    for number in range(3):
        writer.add("hall", str(number % 2), Episode("Eat", number, number + 1))

    assert writer.count_new() == 0
    writing.work()
    assert (writer.count_new(), writer.count_new()) == (2, 0)
    assert [episode.start for episode in writer.last("hall")["hall"]] == [0, 1, 2]


def test_an_error_of_a_write_reaches_the_thread_that_ticks(diary: Diary) -> None:
    writer = DiaryWriter(diary, AtOnce())
    writer.write(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        writer.count_new()


def test_what_finds_no_place_is_not_acknowledged(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MOST_WAITING", 1)
    hung, free, acknowledged = threading.Event(), threading.Event(), list[int]()

    def hang() -> None:
        hung.set()
        free.wait()

    writing = Background("test")
    writing.start()
    writing.submit(hang)
    assert hung.wait(10)
    for number in range(3):
        once_written([writing.submit(lambda: None)], lambda number=number: acknowledged.append(number))  # type: ignore[misc]
    free.set()

    assert writing.close()
    assert acknowledged == [0]
