"""Programs open the page with a token, and users through a trusted proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from harstream.stream.web.access.tokens import is_token, new_token, token_hash
from tests.support.accounts import TOKEN, USERS
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView

NewUrl = Callable[..., str]


@pytest.fixture
def new_url() -> Iterator[NewUrl]:
    """`new_url(tokens=...)` starts a page with these values of the section `web`, and returns its URL."""
    opened: list[LiveView] = []

    def start(**web: Any) -> str:
        view = LiveView(LIGHT, web=web, metrics=lambda: b"har_up 1\n")
        view.start()
        opened.append(view)
        return view.url

    yield start
    for view in opened:
        view.close()


def status(url: str, **headers: str) -> int:
    return httpx.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code


@pytest.mark.parametrize("kept", [TOKEN, token_hash(TOKEN)])
def test_a_program_reads_what_the_role_of_its_token_allows(new_url: NewUrl, kept: str) -> None:
    url = new_url(tokens=[{"name": "prometheus", "token": kept, "role": "metrics"}])
    assert status(f"{url}metrics", Authorization=f"Bearer {TOKEN}") == 200
    assert status(f"{url}api/events", Authorization=f"Bearer {TOKEN}") == 403
    assert status(f"{url}metrics") == 401


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN[:-1]}", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
def test_any_other_token_is_refused(new_url: NewUrl, authorization: str) -> None:
    url = new_url(tokens=[{"name": "prometheus", "token": TOKEN, "role": "metrics"}])
    answer = httpx.get(f"{url}metrics", headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert answer.status_code == 401


def test_a_hash_is_not_a_token() -> None:
    token = new_token()
    assert is_token(token, token_hash(token))
    assert not is_token(token_hash(token), token_hash(token))
    assert new_token() != token


def test_the_users_of_a_trusted_proxy_have_the_roles_of_the_configuration(new_url: NewUrl) -> None:
    proxy = {"addresses": ["127.0.0.0/8"], "user_header": "X-Remote-User"}
    url = new_url(users=USERS, proxy=proxy)
    assert status(f"{url}api/events", X_Remote_User="guest") == 404  # a viewer may ask; no history is kept
    assert httpx.post(f"{url}api/reload", headers={"X-Remote-User": "guest"}).status_code == 403
    assert httpx.post(f"{url}api/reload", headers={"X-Remote-User": "anna"}).json()["detail"].startswith("nothing can")
    assert status(f"{url}api/events") == 401


def test_the_user_header_of_another_address_is_ignored(new_url: NewUrl) -> None:
    url = new_url(proxy={"addresses": ["192.0.2.1"], "user_header": "X-Remote-User"})
    assert status(f"{url}api/events", X_Remote_User="anna") == 401
    forwarded = {"X_Remote_User": "anna", "X_Forwarded_For": "192.0.2.1"}
    assert status(f"{url}api/events", **forwarded) == 401


def test_the_cookie_is_secure_where_the_proxy_says_that_the_browser_uses_https(new_url: NewUrl) -> None:
    url = new_url(users=USERS, proxy={"addresses": ["127.0.0.1"]})
    form = {"name": "anna", "password": "geheim"}
    over_https = httpx.post(f"{url}login", data=form, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in over_https.headers["set-cookie"].lower()
