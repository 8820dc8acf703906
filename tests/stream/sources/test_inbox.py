"""The inbox between camera threads and recognition: real threads, each wait with a deadline."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harstream.models.sampling import Taken, TimeGrid
from harstream.models.transform import BgrPicture
from harstream.stream.sources.inbox import Inbox
from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, CameraState, Frame

DEADLINE = 10.0
PICTURE = BgrPicture(np.zeros((1, 1, 3), np.uint8))

Item = Frame | CameraChange


def frame(time: float, camera: str = "hall") -> Frame:
    return Frame(camera, time, PICTURE)


def change(time: float, state: CameraState = CameraState.OFFLINE) -> CameraChange:
    return CameraChange("hall", time, state)


@contextmanager
def running(*works: Callable[[], None]) -> Iterator[list[threading.Thread]]:
    """Runs each function on a thread of its own. All must have ended when the block ends."""
    # The threads are daemons: one that hangs fails its test and does not block the whole run.
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(DEADLINE)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"


def reading(inbox: Inbox, items: Iterable[Item], *, is_live: bool) -> Callable[[], None]:
    """Returns the work of a camera's thread. The inbox expects its reader from now on."""
    inbox.expect_reader("hall")

    def read() -> None:
        with inbox.reader("hall"):
            for item in items:
                inbox.put(item, is_live=is_live)

    return read


def times(batch: list[Item]) -> list[float]:
    return [item.time for item in batch]


def failing(*items: Item) -> Iterator[Item]:
    yield from items
    raise OSError("the cable is cut")


def test_frames_on_the_grid_wait_and_the_others_cost_nothing() -> None:
    inbox = Inbox(1.0)
    reading(inbox, [frame(1), frame(1.3), frame(1.6), frame(2), frame(2.5), frame(3)], is_live=True)()
    assert [times(batch) for batch in inbox.batches()] == [[1], [2], [3]]
    assert (inbox.arrived, inbox.needed, inbox.dropped) == ({"hall": 6}, {"hall": 3}, {})


def test_a_watched_camera_gives_its_newest_other_frame_too() -> None:
    inbox = Inbox(1.0, lambda camera: camera == "hall")
    inbox.expect_reader("hall")
    with inbox.reader("hall"):
        batches = inbox.batches()
        for time in (1, 1.2, 1.4):
            inbox.put(frame(time), is_live=True)
        assert [times(next(batches)), times(next(batches))] == [[1], [1.4]]
        for time in (1.6, 2):  # the frame on the grid supersedes the other one
            inbox.put(frame(time), is_live=True)
        inbox.put(frame(2.5, "garden"), is_live=True)
        inbox.put(frame(2.6, "garden"), is_live=True)
        assert times(next(batches)) == [2, 2.5]
    assert list(batches) == []


@given(st.lists(st.floats(0.01, 0.4), max_size=200))
def test_recognition_takes_every_frame_that_it_gets_and_sees_the_same_gaps(steps: list[float]) -> None:
    """The grid of the inbox sees all frames. That of recognition sees those that the inbox passes on."""
    inbox, all_frames, passed = Inbox(8.0), TimeGrid(8.0), TimeGrid(8.0)
    taken, time = list[tuple[float, Taken | None]](), 0.0
    for step in steps:
        time += step
        inbox.put(frame(time), is_live=True)
        if (how := all_frames.take(time)) is not None:
            taken.append((time, how))
            ((item,),) = [next(inbox.batches(timeout=0))]
            assert isinstance(item, Frame)
            assert (item.time, passed.take(item.time, item.previous)) == taken[-1]


def test_a_burst_is_passed_on_whole() -> None:
    inbox = Inbox(8.0)
    reading(inbox, [frame(number / 25) for number in range(45)], is_live=True)()
    assert len(list(inbox.batches())) == 15
    assert inbox.dropped == {}


def test_no_more_than_two_seconds_of_frames_wait_and_a_gap_follows_dropped_ones() -> None:
    inbox = Inbox(8.0)
    inbox.expect_reader("hall")
    batches = inbox.batches()
    for number in range(19):
        inbox.put(frame(number / 8), is_live=True)
    assert [times(next(batches)) for _ in range(17)] == [[number / 8] for number in range(17)]
    for number in (19, 20):
        inbox.put(frame(number / 8), is_live=True)
    items = [*next(batches), *next(batches)]
    assert times(items) == [2.375, 2.5]
    assert [item.previous for item in items if isinstance(item, Frame)] == [None, 2.375]
    assert inbox.dropped == {"hall": 2}


def test_cameras_do_not_drop_each_others_frames() -> None:
    inbox = Inbox(8.0)
    reading(inbox, [frame(0, "garden"), *(frame(number / 8) for number in range(18))], is_live=True)()
    first, *others = inbox.batches()
    assert [(item.camera, item.time) for item in first] == [("garden", 0), ("hall", 0)]
    assert [times(batch) for batch in others] == [[number / 8] for number in range(1, 17)]
    assert inbox.dropped == {"hall": 1}


def whole_windows(cameras: tuple[str, ...], speed: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Inbox, list[int]]:
    """Runs cameras at 8 Hz for ten minutes. Recognition takes `speed` frames a second, and a window has 20.

    Returns the inbox, and the number of windows without a gap of each camera.
    """
    now = 0.0
    for module in ("inbox", "camera_queue"):
        monkeypatch.setattr(f"harstream.stream.sources.{module}.monotonic", lambda: now)
    inbox, served, windows, budget = Inbox(8.0, window=20), Counter[str](), Counter[str](), 0.0
    grids = {camera: TimeGrid(8.0) for camera in cameras}
    inbox.expect_reader("hall")
    batches = inbox.batches(timeout=0)
    for number in range(8 * 600):
        now = number / 8
        for camera in cameras:
            inbox.put(frame(now, camera), is_live=True)
        budget = min(budget + speed / 8, 2 * len(cameras))
        while budget > 0 and (batch := next(batches)):
            budget -= len(batch)
            for item in batch:
                assert isinstance(item, Frame)
                is_gap = grids[item.camera].take(item.time, item.previous) is not Taken.NEXT
                served[item.camera] = 1 if is_gap else served[item.camera] + 1
                windows[item.camera] += served[item.camera] >= 20
    return inbox, [windows[camera] for camera in cameras]


@pytest.mark.parametrize(("speed", "least"), [(7.0, 3000), (4.0, 1000), (2.0, 300), (1.0, 75)])
def test_a_camera_that_is_up_to_eight_times_too_fast_alone_has_whole_windows(
    monkeypatch: pytest.MonkeyPatch, speed: float, least: int
) -> None:
    """One window a frame would be 4800. A window takes 20 frames of recognition, so 1 frame a second allows 30."""
    _, (windows,) = whole_windows(("hall",), speed, monkeypatch)
    assert windows >= least


def test_several_cameras_that_are_each_too_fast_have_whole_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    _, windows = whole_windows(("attic", "cellar", "hall", "yard"), 4.0, monkeypatch)
    assert min(windows) >= 100


def test_recognition_that_is_too_slow_serves_whole_cameras_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recognition takes 20 items a second. Four cameras need 32. No camera waits longer than two turns."""
    inbox, windows = whole_windows(("attic", "cellar", "hall", "yard"), 20.0, monkeypatch)
    assert min(windows) > 600
    assert sum(windows) > 0.6 * 20 * 600
    assert sum(inbox.dropped.values()) < 0.6 * sum(inbox.needed.values())


def test_files_wait_while_live_cameras_are_behind_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("harstream.stream.sources.inbox.monotonic", lambda: now)
    inbox = Inbox(8.0)
    inbox.put(frame(0, "film"), is_live=False)
    for number in range(10):
        inbox.put(frame(number / 8), is_live=True)
    batches = inbox.batches(timeout=0)
    assert [item.camera for item in next(batches)] == ["hall"]
    now = 2.0
    assert sorted(item.camera for item in next(batches)) == ["film", "hall"]


def test_batch_holds_at_most_one_item_of_a_camera() -> None:
    inbox = Inbox(1.0)
    reading(inbox, [change(1, CameraState.LIVE), frame(2), frame(2, "garden")], is_live=True)()
    assert [times(batch) for batch in inbox.batches()] == [[1, 2], [2]]


def test_changes_are_never_dropped_and_keep_their_place() -> None:
    inbox = Inbox(1.0)
    items: list[Item] = [change(1), frame(2), frame(3), change(4), change(5), frame(6), frame(7)]
    reading(inbox, items, is_live=True)()
    assert [times(batch) for batch in inbox.batches()] == [[1], [2], [3], [4], [5], [6]]
    assert inbox.dropped == {"hall": 1}


def test_silence_gives_empty_batches_regularly() -> None:
    inbox = Inbox(1.0)
    batches = inbox.batches(timeout=0.01)
    inbox.expect_reader("hall")
    assert [next(batches), next(batches)] == [[], []]
    with inbox.reader("hall"):
        inbox.put(frame(1), is_live=True)
    assert [times(batch) for batch in batches] == [[1]]


def test_every_frame_of_a_file_comes_in_order() -> None:
    inbox = Inbox(1.0)
    items: list[Item] = [change(0, CameraState.LIVE), *(frame(number) for number in range(1, 200)), change(200)]
    with running(reading(inbox, items, is_live=False)):
        assert [times(batch) for batch in inbox.batches()] == [[number] for number in range(201)]
    assert inbox.dropped == {}


def test_file_waits_until_its_frame_is_taken() -> None:
    inbox, second_is_in = Inbox(1.0), threading.Event()
    inbox.expect_reader("hall")

    def read() -> None:
        with inbox.reader("hall"):
            inbox.put(frame(1), is_live=False)
            inbox.put(frame(2), is_live=False)
            second_is_in.set()

    with running(read):
        batches = inbox.batches()
        assert times(next(batches)) == [1]
        assert second_is_in.wait(DEADLINE)
        assert times(next(batches)) == [2]
        assert list(batches) == []


def test_file_and_live_camera_are_read_side_by_side() -> None:
    inbox = Inbox(1.0)
    film = reading(inbox, [frame(number) for number in range(50)], is_live=False)
    live = reading(inbox, [frame(number, "garden") for number in range(50)], is_live=True)
    with running(film, live):
        items = [item for batch in inbox.batches() for item in batch]
    assert [item.time for item in items if item.camera == "hall"] == list(range(50))
    seen = [item.time for item in items if item.camera == "garden"]
    assert seen == sorted(seen)
    assert len(seen) + inbox.dropped["garden"] == 50


def test_batches_end_when_every_reader_has_ended() -> None:
    inbox = Inbox(1.0)
    works = [reading(inbox, [frame(1, camera)], is_live=True) for camera in ("hall", "garden", "attic")]
    with running(*works):
        assert sorted(item.camera for batch in inbox.batches() for item in batch) == ["attic", "garden", "hall"]


def test_batches_without_readers_end_at_once() -> None:
    assert list(Inbox(1.0).batches()) == []


def test_error_of_a_reader_is_raised_after_its_frames() -> None:
    inbox = Inbox(1.0)
    with running(reading(inbox, failing(change(1), frame(2)), is_live=False)):
        batches = inbox.batches()
        assert [times(next(batches)), times(next(batches))] == [[1], [2]]
        with pytest.raises(OSError, match="the cable is cut"):
            next(batches)


def test_error_of_one_reader_is_raised_while_another_keeps_reading() -> None:
    inbox = Inbox(1.0)
    reading(inbox, failing(), is_live=True)()
    taken: list[list[Item]] = []
    film = [frame(number, "garden") for number in range(1000)]
    with running(reading(inbox, film, is_live=False)), pytest.raises(OSError, match="the cable is cut"):
        taken.extend(inbox.batches())
    assert taken == []


def test_first_error_of_several_is_raised() -> None:
    inbox = Inbox(1.0)
    reading(inbox, failing(), is_live=True)()
    inbox.expect_reader("hall")
    with inbox.reader("hall"):
        raise ValueError("too late")
    with pytest.raises(OSError, match="the cable is cut"):
        list(inbox.batches())


def test_each_of_several_failed_files_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(1.0)
    for name in ("hall", "yard"):
        inbox.expect_reader(name)
        with inbox.reader(name):
            raise SourceError(f"camera {name}: the file is torn")
    with pytest.raises(SourceError, match="camera yard"):
        list(inbox.batches())
    assert caplog.messages == ["camera hall: the file is torn"]


def test_a_camera_with_a_new_source_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(1.0)
    inbox.expect_reader("hall")
    with inbox.reader("hall"):
        raise SourceError("camera hall: the file is torn")
    with running(reading(inbox, [frame(1)], is_live=False)):
        assert [times(batch) for batch in inbox.batches()] == [[1]]
    assert [record.camera for record in caplog.records] == ["hall"]


def test_close_ends_the_wait_of_a_file() -> None:
    inbox = Inbox(1.0)
    with running(reading(inbox, [frame(1), frame(2), frame(3)], is_live=False)):
        next(inbox.batches())
        inbox.close()


def test_close_ends_the_wait_of_recognition() -> None:
    inbox = Inbox(1.0)
    taken: list[list[Item]] = []
    inbox.expect_reader("hall")  # a camera that never gives a frame
    with running(lambda: taken.extend(inbox.batches())):
        inbox.close()
    assert taken == []


def test_nothing_is_yielded_once_closed() -> None:
    inbox = Inbox(1.0)
    inbox.expect_reader("hall")
    inbox.put(frame(1), is_live=True)
    inbox.close()
    inbox.put(frame(2), is_live=False)
    assert list(inbox.batches()) == []
