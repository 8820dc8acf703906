"""The public API gives the events and scores of a live network camera."""

from __future__ import annotations

import threading
import time
from itertools import islice
from pathlib import Path

import pytest

import harstream
from harstream.wire.errors import SourceError
from tests.support.camera import Serve
from tests.support.films import WriteFilm
from tests.support.waiting import Eventually

pytestmark = pytest.mark.rtsp


@pytest.fixture
def url(rtsp_server: Serve, film: WriteFilm) -> str:
    return rtsp_server(film("light.mp4", (2, 200)), "--loop").url()


def test_events_of_a_live_camera_come_while_it_runs_and_have_the_time_of_now(
    url: str, light_model: Path, eventually: Eventually
) -> None:
    threads = threading.active_count()
    began = time.time()
    events = harstream.recognize(url, model=light_model, camera="yard")
    start = next(events)
    assert (start.type, start.activity, start.camera) == (harstream.EventType.START, "Light", "yard")
    assert began - 1 <= start.started_at <= time.time()
    events.close()  # type: ignore[attr-defined]
    eventually(lambda: threading.active_count() == threads, "the release of the camera")


def test_scores_of_a_live_camera_follow_one_another(url: str, light_model: Path) -> None:
    scores = harstream.recognize(url, model=light_model, scores=True)
    found = list(islice(scores, 3))
    scores.close()  # type: ignore[attr-defined]
    assert [each.time for each in found] == sorted({each.time for each in found})
    assert all(each.labels == ("Dark", "Light") and each.values[1] > 0.9 for each in found)


def test_a_camera_that_does_not_answer_is_an_error_of_the_first_step(new_port: object, light_model: Path) -> None:
    assert callable(new_port)
    events = harstream.recognize(f"rtsp://anna:geheim@127.0.0.1:{new_port()}/camera", model=light_model)
    with pytest.raises(SourceError) as caught:
        next(events)
    assert "nothing listens" in str(caught.value)
    assert "geheim" not in str(caught.value)
