"""Users log in on a real server, with real requests and a real WebSocket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from harstream.models.contract import ModelContract
from harstream.stream.web.cameras_api import HttpControl
from harstream.wire.values import CameraControl
from tests.support.accounts import PASSWORD, PASSWORD_HASH, TOKEN, USERS, session_cookie
from tests.support.live_view import LiveView

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("JumpRope", "PushUps"))
METHODS = [
    ("GET", "/api/cameras"), ("GET", "/api/events"), ("PATCH", "/api/cameras/hall"), ("POST", "/api/reload"),
    ("GET", "/api/teaching"), ("POST", "/api/teaching/use"), ("GET", "/api/teaching/ordinary/a.mp4"),
    ("DELETE", "/api/teaching/examples/Grey/a.mp4"),
]  # fmt: skip


class OneCamera:
    """Controls of one camera whose threshold can be set."""

    def __init__(self) -> None:
        self.threshold = 0.8

    def cameras(self) -> list[CameraControl]:
        return [CameraControl("hall", threshold=self.threshold)]

    def switch(self, camera: str, *, on: bool) -> None: ...

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        self.threshold = threshold or 0.5

    def reload(self) -> str:
        return "nothing changed"


NewView = Callable[..., LiveView]


@pytest.fixture
def new_view() -> Iterator[NewView]:
    """`new_view(users=...)` starts a page with these values of the section `web`."""
    opened: list[LiveView] = []

    def start(**web: Any) -> LiveView:
        controls = OneCamera()
        view = LiveView(
            CONTRACT, web=web, control=HttpControl(controls, controls.reload), metrics=lambda: b"har_up 1\n"
        )
        view.start()
        opened.append(view)
        return view

    yield start
    for view in opened:
        view.close()


@pytest.fixture
def view(new_view: NewView) -> LiveView:
    return new_view(users=USERS, tokens=[{"name": "prometheus", "token": TOKEN, "role": "metrics"}])


def browser(view: LiveView) -> httpx.Client:
    return httpx.Client(base_url=view.url, follow_redirects=True)


def logged_in(view: LiveView, name: str, password: str = PASSWORD) -> httpx.Client:
    client = browser(view)
    answer = client.post("/login", data={"name": name, "password": password})
    assert answer.url.path == "/", answer.text
    return client


def live(view: LiveView, client: httpx.Client | None = None) -> Any:
    host, port = view.address
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items()) if client else ""
    return connect(f"ws://{host}:{port}/live", additional_headers={"Cookie": cookies} if cookies else {})


def read_all(socket: Connection) -> None:
    while True:
        socket.recv(timeout=5)


@pytest.mark.parametrize(("method", "path"), [*METHODS, ("GET", "/metrics"), ("GET", "/live.js"), ("GET", "/nothing")])
def test_a_stranger_gets_401_for_everything_behind_the_login(view: LiveView, method: str, path: str) -> None:
    answer = browser(view).request(method, path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_strangers_websocket_is_refused_before_the_handshake(view: LiveView) -> None:
    with pytest.raises(InvalidStatus) as caught, live(view):
        pass
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("page", ["/", "/teach"])
def test_a_strangers_browser_gets_the_login_page(view: LiveView, page: str) -> None:
    answer = browser(view).get(page)
    assert (answer.status_code, answer.url.path) == (200, "/login")
    assert 'type="password"' in answer.text
    assert all(browser(view).get(path).status_code == 200 for path in ("/live.css", "/login.css", "/icon.svg"))


def test_health_shows_a_stranger_the_status_alone(view: LiveView) -> None:
    assert browser(view).get("/healthz").json() == {"status": "ok"}
    assert browser(view).get("/readyz").json() == {"status": "not ready"}
    assert logged_in(view, "ben").get("/healthz").json()["cameras"] == {"hall": "connecting"}


def test_the_cookie_of_a_session_is_for_this_site_and_not_for_scripts(view: LiveView) -> None:
    answer = httpx.post(f"{view.url}login", data={"name": "anna", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert PASSWORD_HASH not in cookie


def test_a_viewer_sees_the_cameras_and_changes_nothing(view: LiveView) -> None:
    client = logged_in(view, "ben")
    assert client.get("/api/cameras").json()[0]["camera"] == "hall"
    assert client.get("/metrics").status_code == 200
    for method, path in (each for each in METHODS if each[0] != "GET"):
        assert client.request(method, path).status_code == 403
    with live(view, client) as socket:
        hello = socket.recv(timeout=5)
    assert '"control": false' in hello
    assert '"user": "ben"' in hello


def test_an_operator_changes_settings(view: LiveView) -> None:
    client = logged_in(view, "anna")
    assert client.patch("/api/cameras/hall", json={"threshold": 0.6}).json()["threshold"] == 0.6
    with live(view, client) as socket:
        assert '"control": true' in socket.recv(timeout=5)


@pytest.mark.parametrize("fields", [{"name": "anna", "password": "wrong"}, {"name": "eve", "password": PASSWORD},
                                    {"name": "anna"}, {"name": "", "password": ""}, {}])  # fmt: skip
def test_a_refused_login_does_not_say_which_part_was_wrong(view: LiveView, fields: dict[str, str]) -> None:
    answer = browser(view).post("/login", data=fields)
    assert answer.status_code == 401
    assert "Wrong user name or password." in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_a_login_of_another_sites_form_is_refused(view: LiveView) -> None:
    answer = httpx.post(
        f"{view.url}login", data={"name": "anna", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_logging_out_ends_the_session_wherever_its_cookie_is_kept(view: LiveView) -> None:
    client = logged_in(view, "anna")
    stolen = dict(client.cookies)
    with live(view, client) as socket:
        socket.recv(timeout=5)
        assert client.post("/logout").url.path == "/login"
        with pytest.raises(ConnectionClosed):
            read_all(socket)
    assert socket.close_code == 1008
    assert not client.cookies
    assert httpx.get(f"{view.url}api/cameras", cookies=stolen).status_code == 401


def test_a_cookie_that_was_changed_is_no_session(view: LiveView) -> None:
    name, cookie = session_cookie(logged_in(view, "ben").cookies)
    forged = ("A" if cookie[0] != "A" else "B") + cookie[1:]
    assert httpx.get(f"{view.url}api/cameras", cookies={name: forged}).status_code == 401


def test_attempts_are_limited_with_one_line_in_the_log(view: LiveView, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = browser(view)
    codes = [client.post("/login", data={"name": "anna", "password": "wrong"}).status_code for _ in range(30)]
    assert codes == [401] * 10 + [429] * 20
    right = client.post("/login", data={"name": "anna", "password": PASSWORD})
    assert (right.status_code, right.headers["retry-after"]) == (429, "60")
    lines = [record.message for record in caplog.records if "too many attempts" in record.message]
    assert len(lines) == 1
    assert "127.0.0.1" in lines[0]
    assert PASSWORD not in caplog.text


def test_an_address_above_its_limit_leaves_the_others_alone(new_view: NewView) -> None:
    client = browser(new_view(users=USERS, proxy={"addresses": ["127.0.0.1"]}))
    for _ in range(100):
        client.post("/login", data={"name": "anna", "password": "wrong"}, headers={"X-Forwarded-For": "10.0.0.1"})
    form = {"name": "anna", "password": PASSWORD}
    assert client.post("/login", data=form, headers={"X-Forwarded-For": "10.0.0.2"}).url.path == "/"


def test_two_services_on_one_machine_keep_their_sessions_apart(new_view: NewView) -> None:
    first, second = new_view(users=USERS), new_view(users=USERS)
    client = logged_in(first, "anna")
    client.post(f"{second.url}login", data={"name": "anna", "password": PASSWORD})
    for view in (first, second):
        assert client.get(f"{view.url}api/cameras").status_code == 200


def test_the_limit_counts_all_addresses_together(new_view: NewView) -> None:
    proxy = {"addresses": ["127.0.0.1"]}
    client = browser(new_view(users=USERS, proxy=proxy))
    codes = []
    for number in range(40):
        headers = {"X-Forwarded-For": f"10.0.{number}.1"}
        codes.append(client.post("/login", data={"name": "eve", "password": "wrong"}, headers=headers).status_code)
    assert codes == [401] * 30 + [429] * 10


def test_a_logged_in_browser_that_follows_a_link_of_another_site_is_not_asked_again(view: LiveView) -> None:
    """The browser leaves the cookie out of such a request, so that the answer must make it ask once more."""
    answer = browser(view).get("/login", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh"' in answer.text
    assert "password" not in answer.text


def test_a_browser_that_keeps_no_cookie_is_told_so(view: LiveView) -> None:
    answer = httpx.post(f"{view.url}login", data={"name": "anna", "password": PASSWORD})
    assert "its own tab" in httpx.get(f"{view.url}{answer.headers['location']}").text


def test_a_large_body_is_refused(view: LiveView) -> None:
    assert browser(view).post("/login", content=b"name=" + b"a" * 10_000).status_code == 413


def test_without_accounts_a_page_of_this_machine_needs_no_login(new_view: NewView) -> None:
    client = browser(new_view())
    assert client.get("/api/cameras").status_code == 200
    assert client.get("/login").url.path == "/"
