"""The public API gives the events and scores of a live network camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pytest

import harstream
from harstream.wire.errors import SourceError
from tests.support.cameras.rtsp_camera import Serve
from tests.support.films import WriteFilm

pytestmark = pytest.mark.rtsp


Item = TypeVar("Item")


@contextmanager
def closed_after(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    assert isinstance(items, Generator)
    with closing(items):
        yield items


@pytest.fixture
def url(rtsp_server: Serve, film: WriteFilm) -> str:
    return rtsp_server(film("light.mp4", (2, 200)), "--loop").url()


def test_events_of_a_live_camera_have_the_time_of_now_and_closing_releases_it(url: str, light_model: Path) -> None:
    threads = threading.active_count()
    began = time.time()
    with closed_after(harstream.recognize(url, model=light_model, camera="yard")) as events:
        start = next(events)
    assert threading.active_count() == threads
    assert (start.type, start.activity, start.camera) == (harstream.EventType.START, "Light", "yard")
    assert began - 1 <= start.started_at <= time.time()


def test_scores_of_a_live_camera_follow_one_another(url: str, light_model: Path) -> None:
    with closed_after(harstream.recognize(url, model=light_model, scores=True)) as scores:
        found = list(islice(scores, 3))
    assert [each.time for each in found] == sorted({each.time for each in found})
    assert all(each.labels == ("Dark", "Light") and each.values[1] > 0.9 for each in found)


def test_a_camera_that_does_not_answer_is_an_error_of_the_first_step(
    new_port: Callable[[], int], light_model: Path
) -> None:
    events = harstream.recognize(f"rtsp://anna:geheim@127.0.0.1:{new_port()}/camera", model=light_model)
    with pytest.raises(SourceError) as caught:
        next(events)
    assert "nothing listens" in str(caught.value)
    assert "geheim" not in str(caught.value)
