"""`harstream run` asks for a login, over HTTPS too, and forgets users who are removed."""

from __future__ import annotations

import signal
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from harstream.stream.web.connections import LONGEST_WAIT
from tests.support.accounts import PASSWORD, PASSWORD_HASH, TOKEN, USERS, session_cookie
from tests.support.certificates import Authority
from tests.support.command import Configure, Harstream, Start
from tests.support.waiting import Eventually

OPEN = {"enabled": True, "host": "0.0.0.0"}


def test_a_page_for_other_machines_without_a_login_does_not_start(harstream: Harstream, configure: Configure) -> None:
    configure(web=OPEN)
    code, running = harstream("run", "--source", "scene")
    assert code == 3
    (line,) = running.complaints
    assert all(part in line for part in ("config.yaml:", "web: ", "users", "auth: none"))
    assert harstream("config", "check")[0] == 2
    assert harstream("doctor")[0] == 3


def test_a_page_without_a_login_is_said_at_the_start(
    start: Start, configure: Configure, eventually: Eventually
) -> None:
    configure(web=OPEN | {"auth": "none"})
    running = start("run", "--source", "scene")
    eventually(lambda: "web.auth is none" in running.output, "the warning", seconds=40)
    (line,) = (line for line in running.stderr if "web.auth is none" in line)
    assert "WARNING" in line


def read_until_closed(socket: Connection) -> None:
    while True:
        socket.recv(timeout=20)


def test_a_user_who_is_removed_by_a_reload_sees_nothing_more(
    start: Start, configure: Configure, new_port: Callable[[], int], eventually: Eventually
) -> None:
    ports: dict[str, Any] = {"mqtt": {"embedded_port": new_port()}}
    web = {"enabled": True, "port": new_port()}
    configure(web=web | {"users": list(USERS)}, cameras=[{"name": "demo", "source": "scene"}], **ports)
    running = start("run")
    url = f"http://127.0.0.1:{web['port']}"
    eventually(lambda: answers(url), "the page", seconds=40)
    cookies = {name: session(url, name) for name in ("anna", "ben")}

    def status(name: str) -> int:
        try:
            return httpx.get(f"{url}/api/cameras", cookies=cookies[name]).status_code
        except httpx.TransportError:
            return 0

    assert (status("anna"), status("ben")) == (200, 200)
    ((cookie, value),) = cookies["ben"].items()
    with connect(f"ws{url[4:]}/live", additional_headers={"Cookie": f"{cookie}={value}"}) as viewer:
        viewer.recv(timeout=5)
        configure(web=web | {"users": [USERS[0]]}, cameras=[{"name": "demo", "source": "scene"}], **ports)
        running.signal(signal.SIGHUP)
        with pytest.raises(ConnectionClosed):
            read_until_closed(viewer)
    eventually(lambda: status("ben") == 401, "the refusal", seconds=40)
    assert status("anna") == 200  # her session survives the restart
    assert PASSWORD_HASH not in running.output


def answers(url: str, **options: Any) -> bool:
    try:
        return httpx.get(f"{url}/healthz", **options).status_code == 200
    except httpx.TransportError:
        return False


def session(url: str, name: str) -> dict[str, str]:
    """Logs in and returns the cookie."""
    answer = httpx.post(f"{url}/login", data={"name": name, "password": PASSWORD})
    return dict([session_cookie(answer.cookies)])


def test_https_marks_the_cookie_as_secure_and_closes_handshakes_that_do_not_end(
    start: Start, configure: Configure, new_port: Callable[[], int], authority: Authority, eventually: Eventually
) -> None:
    page = authority.sign("page")
    tls = {"certificate": str(page.file), "key": str(page.key)}
    port = new_port()
    token = {"name": "viewer", "token": TOKEN}
    configure(web={"enabled": True, "port": port, "tls": tls, "users": list(USERS), "tokens": [token]})
    running = start("run", "--source", "scene")
    trusted = ssl.create_default_context(cafile=authority.certificate.file)
    url = f"https://localhost:{port}"
    eventually(lambda: answers(url, verify=trusted), "the page", seconds=40)
    assert f"live view {url.replace('localhost', '127.0.0.1')}/" in running.output
    form = {"name": "anna", "password": PASSWORD}
    answer = httpx.post(f"{url}/login", data=form, verify=trusted)
    assert "secure" in answer.headers["set-cookie"].lower()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(f"wss://localhost:{port}/live", ssl=trusted, additional_headers=headers) as viewer:
        assert "hello" in str(viewer.recv(timeout=5))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_WAIT + 5) as silent:
        assert silent.recv(100) == b""
    assert time.monotonic() - began < LONGEST_WAIT + 3
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:  # a browser that was given http://
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.recv(100)
    assert running.complaints == []
