"""`/healthz` and `/readyz`, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from harstream.models.transform import BgrPicture
from harstream.stream.web.view_state import STUCK_AFTER
from harstream.wire.values import CameraState, Frame, Step
from tests.support.clock import SettableClock
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView
from tests.support.values import MakeHealth, MakeNotice


@pytest.fixture
def view(clock: SettableClock) -> Iterator[LiveView]:
    view = LiveView(LIGHT, ("hall", "garden"), clock=clock)
    view.start()
    yield view
    view.close()


@pytest.fixture
def garden_is_live(make_notice: MakeNotice) -> Step:
    return Step(make_notice(camera="garden"), Frame("garden", 1.0, BgrPicture(np.zeros((6, 8, 3), np.uint8))))


def answer(view: LiveView, path: str) -> tuple[int, dict[str, object]]:
    got = httpx.get(view.url + path)
    return got.status_code, got.json()


def test_healthz_reports_version_and_each_cameras_state(view: LiveView, garden_is_live: Step) -> None:
    view.show(garden_is_live)
    states = {"hall": "connecting", "garden": "live"}
    assert answer(view, "healthz") == (200, {"status": "ok", "version": "0.1.0", "cameras": states})


def test_healthz_reports_that_recognition_hangs_and_that_it_continues(
    view: LiveView, clock: SettableClock, make_health: MakeHealth
) -> None:
    found = []
    for seconds in (STUCK_AFTER, STUCK_AFTER + 1):
        clock.now = seconds
        found.append(answer(view, "healthz"))
    view.report(make_health())
    found.append(answer(view, "healthz"))
    assert [(code, body["status"]) for code, body in found] == [(200, "ok"), (503, "stuck"), (200, "ok")]


def test_readyz_waits_for_a_picture_of_any_enabled_camera(
    view: LiveView, garden_is_live: Step, make_notice: MakeNotice
) -> None:
    states = {"hall": "connecting", "garden": "connecting"}
    assert answer(view, "readyz") == (503, {"status": "not ready", "cameras": states})
    view.show(garden_is_live)
    assert answer(view, "readyz") == (200, {"status": "ready", "cameras": states | {"garden": "live"}})
    view.show(Step(make_notice(camera="garden", state=CameraState.OFFLINE), None))
    assert answer(view, "readyz")[0] == 503


def test_a_machine_whose_cameras_are_all_disabled_is_ready(view: LiveView, make_notice: MakeNotice) -> None:
    view.show(Step(make_notice(camera="garden", state=CameraState.DISABLED), None))
    assert answer(view, "readyz")[0] == 503
    view.show(Step(make_notice(camera="hall", state=CameraState.DISABLED), None))
    assert answer(view, "readyz")[0] == 200
