"""The HTTP interface switches cameras and sets thresholds: a real server and a real client."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from harstream.models.contract import ModelContract
from harstream.stream.web.cameras_api import HttpControl
from harstream.wire.errors import ConfigError, SinkError, UnknownCamera
from harstream.wire.values import CameraControl
from tests.support.live_view import LiveView

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("Idle", "JumpingJack"))


class RecordingControls:
    """Controls that remember each request."""

    def __init__(self) -> None:
        self.hall = CameraControl("hall", threshold=0.8)
        self.disk_is_full = False
        self.mistake = ""

    def cameras(self) -> list[CameraControl]:
        return [self.hall]

    def switch(self, camera: str, *, on: bool) -> None:
        self._check(camera)
        self.hall = CameraControl("hall", on, self.hall.threshold)

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        self._check(camera)
        self.hall = CameraControl("hall", self.hall.is_enabled, 0.8 if threshold is None else threshold)

    def reload(self) -> str:
        if self.mistake:
            raise ConfigError(self.mistake)
        return "attic is new"

    def _check(self, camera: str) -> None:
        if camera != "hall":
            raise UnknownCamera(f"there is no camera {camera!r}; the cameras are hall")
        if self.disk_is_full:
            raise SinkError("the disk is full")


@pytest.fixture
def controls() -> RecordingControls:
    return RecordingControls()


@pytest.fixture
def serve() -> Iterator[Callable[..., httpx.Client]]:
    """`serve(controls)` starts the live view, and gives a client of it."""
    views: list[LiveView] = []

    def start(controls: RecordingControls | None) -> httpx.Client:
        view = LiveView(CONTRACT, control=HttpControl(controls, controls.reload) if controls else None)
        view.start()
        views.append(view)
        return httpx.Client(base_url=view.url)

    yield start
    for view in views:
        view.close()


@pytest.fixture
def client(serve: Callable[..., httpx.Client], controls: RecordingControls) -> httpx.Client:
    return serve(controls)


def test_a_camera_is_switched_off_and_its_new_state_is_returned(
    client: httpx.Client, controls: RecordingControls
) -> None:
    assert client.get("/api/cameras").json() == [{"camera": "hall", "enabled": True, "threshold": 0.8}]
    answer = client.patch("/api/cameras/hall", json={"enabled": False})
    assert (answer.status_code, answer.json()) == (200, {"camera": "hall", "enabled": False, "threshold": 0.8})
    assert not controls.hall.is_enabled
    assert client.get("/api/cameras").json() == [answer.json()]


def test_a_threshold_is_set_and_null_restores_the_configured_one(client: httpx.Client) -> None:
    assert client.patch("/api/cameras/hall", json={"threshold": 0.5}).json()["threshold"] == 0.5
    assert client.patch("/api/cameras/hall", json={"enabled": False}).json()["threshold"] == 0.5
    assert client.patch("/api/cameras/hall", json={"threshold": None}).json()["threshold"] == 0.8


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"threshold": 1.5}', "threshold: Input should be less than or equal to 1"),
        (b'{"threshold": NaN}', "threshold: "),
        (b'{"enabled": "off"}', "enabled: Input should be a valid boolean"),
        (b'{"enabeld": false}', "expected enabled, threshold; got 'enabeld'"),
        (b'["hall"]', "expected a JSON object of enabled, threshold"),
        (b"hall off", "expected JSON, got something else"),
        (b"", "expected JSON, got something else"),
    ],
)
def test_invalid_request_is_refused_with_the_reason(
    body: bytes, detail: str, client: httpx.Client, controls: RecordingControls
) -> None:
    answer = client.patch("/api/cameras/hall", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]
    assert controls.hall == CameraControl("hall", threshold=0.8)


def test_a_client_that_leaves_during_its_request_is_no_internal_error(
    controls: RecordingControls, caplog: pytest.LogCaptureFixture
) -> None:
    view = LiveView(CONTRACT, control=HttpControl(controls, controls.reload))
    view.start()
    with socket.create_connection(view.address) as leaving:
        leaving.sendall(b"PATCH /api/cameras/hall HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        httpx.get(view.url)  # the server has begun to handle the request before this one
    view.close()  # waits for the requests in progress
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert controls.hall == CameraControl("hall", threshold=0.8)


def test_an_unknown_camera_is_not_found(client: httpx.Client) -> None:
    answer = client.patch("/api/cameras/%3Cb%3Eattic", json={"enabled": False})
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no camera '<b>attic'; the cameras are hall")


def test_change_that_fails_is_reported(client: httpx.Client, controls: RecordingControls) -> None:
    controls.disk_is_full = True
    answer = client.patch("/api/cameras/hall", json={"enabled": False})
    assert (answer.status_code, answer.json()["detail"]) == (409, "the disk is full")


def test_a_reload_reports_its_result(client: httpx.Client, controls: RecordingControls) -> None:
    assert client.post("/api/reload").json() == {"detail": "attic is new"}
    controls.mistake = "config.yaml:3:1: modle: there is no such key here"
    answer = client.post("/api/reload")
    assert (answer.status_code, answer.json()["detail"]) == (409, controls.mistake)


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/api/cameras/hall"), ("POST", "/api/reload")])
def test_a_page_of_another_site_changes_nothing(
    method: str, path: str, client: httpx.Client, controls: RecordingControls
) -> None:
    body: dict[str, Any] = {"json": {"enabled": False}} if method == "PATCH" else {}
    answer = client.request(method, path, headers={"Origin": "https://evil.example"}, **body)
    assert (answer.status_code, answer.json()["detail"]) == (403, "the request comes from a page of another site")
    assert controls.hall.is_enabled
    assert client.request(method, path, headers={"Origin": str(client.base_url).rstrip("/")}, **body).is_success


def test_an_invalid_origin_is_refused(client: httpx.Client) -> None:
    assert client.post("/api/reload", headers={"Origin": "http://["}).status_code == 403


def test_without_controls_nothing_can_be_changed(serve: Callable[..., httpx.Client]) -> None:
    client = serve(None)
    for answer in (client.get("/api/cameras"), client.patch("/api/cameras/hall", json={}), client.post("/api/reload")):
        assert answer.status_code == 403
        assert "web.control in config.yaml" in answer.json()["detail"]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_above_the_limit_is_refused_before_it_is_read(client: httpx.Client, is_chunked: bool) -> None:
    """Without the limit, 200 MiB of a body took 400 MB of memory."""

    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * 1_000_000

    body = chunks() if is_chunked else b" " * 5000
    try:
        assert client.patch("/api/cameras/hall", content=body).status_code == 413
    except httpx.WriteError:
        assert is_chunked  # the server closed the connection while the client was still sending


def test_an_empty_change_of_a_camera_that_never_was_does_not_say_that_it_was_removed(client: httpx.Client) -> None:
    answer = client.patch("/api/cameras/nosuch", json={})
    assert answer.status_code == 404
    assert "there is no camera 'nosuch'" in answer.json()["detail"]
