"""Examples are recorded one after the other; what is not complete leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from harstream.clips.recording_time import recorded_at
from harstream.clips.video import pictures
from harstream.models.transform import BgrPicture
from harstream.stream.teaching.recording import RecordingPlan, recorded
from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, CameraState, Frame

NOON = datetime(2026, 11, 20, 12).timestamp()
PLAN = RecordingPlan(number=2, seconds=2.0, pause=1.0)


def frames(begin: float, end: float, camera: str = "hall") -> Iterator[Frame]:
    """Yields ten frames a second, from `begin` seconds after noon on. Their level is ten times the second."""
    for tick in range(round(begin * 10), round(end * 10)):
        yield Frame(camera, NOON + tick / 10, BgrPicture(np.full((24, 32, 3), tick, np.uint8)))


def test_each_example_follows_a_pause(tmp_path: Path) -> None:
    shown: list[str] = []
    files = [*recorded(frames(10, 20), PLAN, tmp_path, lambda now: shown.append(str(now)))]
    assert [file.name for file in files] == ["hall_2026-11-20_12-00-11.mp4", "hall_2026-11-20_12-00-14.mp4"]
    assert [recorded_at(file) for file in files] == [NOON + 11, NOON + 14]
    first = [*pictures(files[0])]
    assert [round(time, 3) for time, _ in first] == [number / 10 for number in range(21)]
    assert int(first[0][1].bgr().mean()) == pytest.approx(110, abs=3)
    assert shown[0] == "example 1 of 2: starts in 1"
    assert shown[10] == "example 1 of 2: recording, 2 s"
    assert shown[-1] == "example 2 of 2: recording, 0 s"


def test_an_example_begins_again_when_the_camera_was_away(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Frame | CameraChange]:
        yield from frames(10, 12)
        yield CameraChange("hall", NOON + 12, CameraState.OFFLINE, "pulled")
        yield from frames(15, 25)

    shown: list[str] = []
    files = [*recorded(interrupted(), PLAN, tmp_path, lambda now: shown.append(str(now)))]
    assert [file.name[-6:-4] for file in files] == ["16", "19"]
    assert "waiting for hall: the example begins again" in shown
    assert sorted(tmp_path.iterdir()) == files


def test_a_source_that_ends_too_early_is_an_error(tmp_path: Path) -> None:
    recording = recorded(frames(10, 15), PLAN, tmp_path, lambda _: None)
    kept = next(recording)
    with pytest.raises(SourceError, match="the source of hall ended after 1 of 2 examples"):
        next(recording)
    assert [*tmp_path.iterdir()] == [kept]


def test_ctrl_c_leaves_no_half_example(tmp_path: Path) -> None:
    def stopped() -> Iterator[Frame]:
        yield from frames(10, 12)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(recorded(stopped(), PLAN, tmp_path, lambda _: None))
    assert [*tmp_path.iterdir()] == []
