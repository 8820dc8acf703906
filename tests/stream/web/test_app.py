"""The web application answers its own page only, with strict headers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    view = LiveView(LIGHT)
    view.start()
    yield view.url
    view.close()


@pytest.mark.parametrize("path", ["", "live.css", "live.js", "icon.svg"])
def test_the_page_comes_from_the_package_with_a_strict_content_policy(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["", "healthz", "docs", "api/nothing"])
def test_every_answer_has_the_headers_of_a_strict_page(url: str, path: str) -> None:
    headers = httpx.get(url + path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-store" if path else "no-cache")
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    ["docs", "api/nothing", "../app.py", "%2e%2e/app.py", "login.html", "index.html", "page/live.js"],
)
def test_a_page_that_does_not_exist_is_a_404_with_json(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"


def test_a_foreign_host_name_for_this_machine_is_refused(url: str) -> None:
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
    for name in ("localhost", "127.0.0.1"):
        assert httpx.get(url, headers={"Host": name}).status_code == 200
