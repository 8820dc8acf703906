"""A person teaches on the page, in a real Chromium: with the countdown, the list, the table, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.lessons import OpenLessons, PutFilms
from tests.support.waiting import Eventually

pytestmark = pytest.mark.browser
LEARNING = 60_000
"""Milliseconds."""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page as small as a phone's. It confirms every question."""
    context = chromium.new_context(viewport={"width": 390, "height": 780})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    page.on("dialog", Dialog.accept)
    yield page
    context.close()
    assert complaints == []


def test_an_example_is_recorded_with_the_keyboard_played_and_deleted(
    lessons: OpenLessons, page: Page, eventually: Eventually
) -> None:
    taught = lessons()
    taught.show(0, 1)
    page.goto(taught.url)
    page.click("text=Teach")
    page.fill("#activity", "Tea time")
    page.fill("#number", "1")
    page.fill("#seconds", "1")
    page.fill("#pause", "2")
    expect(page.locator("#record button")).to_be_enabled()
    page.press("#pause", "Enter")
    expect(page.locator("#phase")).to_have_text("Waiting for the camera")
    taught.show(1, 6)  # the pause ends at tick 21
    expect(page.locator("#phase")).to_have_text("Get ready")
    expect(page.locator("#which")).to_have_text("Tea time: 1 of 1")
    expect(page.locator("#left")).to_have_text("2")
    assert page.evaluate("document.querySelector('#left').getBoundingClientRect().height") > 200
    taught.show(6, 26)
    expect(page.locator("#phase")).to_have_text("Recording")
    expect(page.locator("#left")).to_have_text("1")
    taught.show(26, 33)
    expect(page.locator("#countdown")).to_be_hidden()
    expect(page.locator("#pause")).to_be_focused()
    expect(page.locator(".group h3")).to_have_text("Tea time 1 of at least 5")
    expect(page.locator("#enough")).to_have_text("Needed first: 4 more of Tea time.")
    expect(page.locator("#learn")).to_be_disabled()

    page.click(".play")
    eventually(lambda: page.evaluate("document.querySelector('#video').videoWidth") == 32, "the video")
    page.click(".delete")
    expect(page.locator("#no-examples")).to_be_visible()
    expect(page.locator("#video")).to_be_hidden()
    assert taught.state()["activities"] == []


def test_escape_stops_the_recording(lessons: OpenLessons, page: Page) -> None:
    taught = lessons()
    page.goto(f"{taught.url}teach")
    page.click("text=Record 10 minutes of ordinary footage")
    expect(page.locator("#which")).to_have_text("Ordinary footage: 1 of 10")
    expect(page.locator("#stop-recording")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#countdown")).to_be_hidden()
    expect(page.locator("#problem")).to_be_hidden()


def test_a_refusal_is_shown_until_the_next_attempt(lessons: OpenLessons, page: Page) -> None:
    taught = lessons()
    page.goto(f"{taught.url}teach")
    expect(page.locator("#record button")).to_be_enabled()
    page.fill("#activity", "Light")
    page.press("#activity", "Enter")
    problem = "activity: the model brightness has Light already: choose another name"
    expect(page.locator("#problem")).to_have_text(problem)
    page.fill("#activity", "Dusk")
    page.press("#activity", "Enter")
    expect(page.locator("#countdown")).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()


def test_what_was_learned_is_shown_used_and_discarded(lessons: OpenLessons, films: PutFilms, page: Page) -> None:
    taught = lessons()
    films(taught)
    page.goto(f"{taught.url}teach")
    page.click("#learn")
    expect(page.locator("#stop-learning")).to_be_focused()
    expect(page.locator("#result")).to_be_visible(timeout=LEARNING)
    assert page.locator("#rows tr > *").all_inner_texts() == ["Grey", "5", "5", "5", ""]
    expect(page.locator(".note").first).to_contain_text("0 false event(s) of the new activities")
    expect(page.locator("#use")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_be_hidden()
    (folder,) = taught.config.state.glob("taught-*")
    again = lessons(folder)  # the service after its restart
    page.goto(f"{again.url}teach")
    expect(page.locator("#used")).to_have_text("The service uses it now.")
    expect(page.locator("#use")).to_be_hidden()
    page.click("#discard")
    expect(page.locator("#result")).to_be_hidden()
    assert (taught.reloads, again.reloads, folder.exists()) == (1, 1, False)


def test_a_viewer_may_look_and_not_teach(lessons: OpenLessons, films: PutFilms, page: Page) -> None:
    taught = lessons(may_control=False)
    films(taught)
    page.goto(taught.url)
    page.wait_for_selector("[data-link=open]")
    expect(page.locator("#teach")).to_be_hidden()
    page.goto(f"{taught.url}teach")
    expect(page.locator("#impossible")).to_have_text("Only an operator may teach.")
    expect(page.locator(".play:enabled")).to_have_count(6)
    for button in ("#record button", "#record-ordinary", "#learn", ".delete >> nth=0"):
        expect(page.locator(button)).to_be_disabled()
