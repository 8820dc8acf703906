"""People log in and out in a real browser."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from harstream.models.contract import ModelContract
from harstream.stream.web.access.sessions import COOKIE
from tests.support.accounts import PASSWORD, USERS
from tests.support.live_view import LiveView

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("JumpRope", "PushUps"))
NewPage = Callable[..., Page]


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """`new_page(java_script_enabled=False)` opens a page in a browser without cookies. Its errors fail the test."""
    errors: list[str] = []
    contexts = []

    def open_page(**options: object) -> Page:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda line: (
                errors.append(line.text)
                if "Content Security" in line.text and "frame-ancestors" not in line.text
                else None
            ),
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def view() -> Iterator[LiveView]:
    view = LiveView(CONTRACT, web={"users": USERS})
    view.start()
    yield view
    view.close()


def violations(line: str) -> list[str]:
    """Returns a line about the content policy. A refused frame belongs to the other site."""
    return [line] if "Content Security" in line and "frame-ancestors" not in line else []


class OtherSite:
    """A site that links to a page and shows it in a frame."""

    def __init__(self, url: str) -> None:
        html = f'<!doctype html><a href="{url}">cameras</a><iframe src="{url}" title="cameras"></iframe>'.encode()

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def other_site() -> Iterator[Callable[[str], OtherSite]]:
    opened: list[OtherSite] = []

    def start(url: str) -> OtherSite:
        opened.append(OtherSite(url))
        return opened[-1]

    yield start
    for site in opened:
        site.close()


def log_in(page: Page, name: str = "anna", password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.browser
def test_the_form_works_without_javascript_and_with_the_keyboard(view: LiveView, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(view.url)
    expect(page).to_have_title("Log in · harstream")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(view.url)
    expect(page).to_have_title("harstream")


@pytest.mark.browser
def test_a_wrong_password_is_one_line_that_a_screen_reader_says(view: LiveView, new_page: NewPage) -> None:
    page = new_page()
    page.goto(view.url)
    log_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("Wrong user name or password.")
    log_in(page)
    expect(page.locator("#link")).to_have_text("Connected")


@pytest.mark.browser
def test_logging_out_brings_every_open_page_of_the_session_to_the_login(view: LiveView, new_page: NewPage) -> None:
    page = new_page()
    page.goto(view.url)
    log_in(page)
    other = page.context.new_page()
    other.goto(view.url)
    expect(other.locator("#link")).to_have_text("Connected")
    page.get_by_role("button", name="Log out").click()
    for one in (page, other):
        expect(one.get_by_label("Password")).to_be_visible(timeout=15_000)


@pytest.mark.browser
def test_a_viewer_has_no_switch_and_without_a_login_there_is_no_logout(view: LiveView, new_page: NewPage) -> None:
    page = new_page()
    page.goto(view.url)
    log_in(page, "ben")
    expect(page.locator("#link")).to_have_text("Connected")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.locator(".power:visible")).to_have_count(0)


@pytest.mark.browser
def test_a_link_of_another_site_opens_the_page_without_another_login(
    view: LiveView, new_page: NewPage, other_site: Callable[[str], OtherSite]
) -> None:
    page = new_page()
    page.goto(view.url)
    log_in(page)
    expect(page.locator("#link")).to_have_text("Connected")
    page.goto(f"http://localhost:{other_site(view.url).port}/")
    page.get_by_role("link").click()
    expect(page.locator("#link")).to_have_text("Connected")


@pytest.mark.browser
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_frame_of_the_same_site_keeps_the_login_and_another_site_is_told_why_not(
    new_page: NewPage, other_site: Callable[[str], OtherSite], host: str
) -> None:
    view = LiveView(CONTRACT, web={"users": USERS, "frame_ancestors": ["http://127.0.0.1:*", "http://localhost:*"]})
    view.start()
    try:
        page = new_page()
        page.goto(f"http://{host}:{other_site(view.url).port}/")
        frame = page.frame_locator("iframe")
        frame.get_by_label("User name").fill("anna")
        frame.get_by_label("Password").fill(PASSWORD)
        frame.get_by_role("button", name="Log in").click()
        if host == "127.0.0.1":
            expect(frame.locator("#link")).to_have_text("Connected")
        else:
            expect(frame.get_by_role("alert")).to_contain_text("its own tab")
    finally:
        view.close()


@pytest.mark.browser
def test_other_sites_may_not_frame_the_page_unless_they_are_configured(
    view: LiveView, new_page: NewPage, other_site: Callable[[str], OtherSite]
) -> None:
    page = new_page()
    refused: list[str] = []
    page.on("requestfailed", lambda request: refused.append(request.failure or ""))
    page.goto(f"http://127.0.0.1:{other_site(view.url).port}/")
    page.wait_for_timeout(500)
    assert page.frame_locator("iframe").get_by_label("Password").count() == 0
    assert any("BLOCKED" in reason.upper() for reason in refused)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_fits_and_is_readable(
    view: LiveView, new_page: NewPage, width: int, scheme: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = new_page(viewport={"width": width, "height": 640}, color_scheme=scheme)
    page.goto(f"{view.url}login?done")
    page.screenshot(path=tmp_path_factory.mktemp("login") / f"{scheme}-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for label in ("User name", "Password"):
        assert page.get_by_label(label).bounding_box()["height"] >= 44  # type: ignore[index]
    colours = page.evaluate(
        "[...document.querySelectorAll('h1, header p, .message, label, button')].map((element) => {"
        " const style = getComputedStyle(element); return [style.color, style.backgroundColor]; })"
    )
    ground = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    for text, behind in colours:
        assert contrast(text, ground if "0, 0, 0, 0" in behind else behind) >= 4.5, (text, behind)


def contrast(first: str, second: str) -> float:
    """Source: WCAG 2.2, contrast ratio."""

    def luminance(colour: str) -> float:
        numbers = [float(number) for number in re.findall(r"[\d.]+", colour)][:3]
        channels = numbers if colour.startswith("color(") else [number / 255 for number in numbers]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.browser
def test_the_button_to_log_out_fits_on_a_phone(view: LiveView, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 320, "height": 640})
    page.goto(view.url)
    log_in(page)
    expect(page.get_by_role("button", name="Log out")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_the_cookie_is_out_of_reach_of_scripts(view: LiveView, new_page: NewPage) -> None:
    page = new_page()
    page.goto(view.url)
    log_in(page)
    expect(page.locator("#link")).to_have_text("Connected")
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert cookie["name"].startswith(COOKIE)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
