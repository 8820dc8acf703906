"""A person in front of a camera teaches a running service over HTTP, and it recognizes the new activity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from numpy.typing import NDArray

from harstream.scene.film import frames
from harstream.scene.script import single
from tests.soak.films import RATE, write_pictures
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Configure, Start
from tests.support.waiting import Eventually

SIZE = (320, 240)
SECONDS = 3.0
"""Of each person. An example has one person or two."""


def headstands(people: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
    """Draw people who do jumping jacks, one after the other, and turn the pictures upside down."""
    for person in people:
        for _, picture in frames(single("JumpingJack", person, SECONDS), person, RATE, SIZE):
            yield np.asarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8)


class Page:
    """Asks as the page does."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def get(self, path: str) -> Any:
        """Return the answer's content. None while the service starts."""
        try:
            return self._client.get(path).raise_for_status().json()
        except (httpx.TransportError, httpx.HTTPStatusError):
            return None

    def state(self) -> dict[str, Any]:
        return self.get("/api/teaching") or {}

    def ask(self, name: str, **body: Any) -> dict[str, Any]:
        answer = self._client.post(f"/api/teaching/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def events(self) -> list[str]:
        return [event["activity"] for event in self.get("/api/events") or ()]


def test_an_activity_that_was_recorded_and_learned_is_recognized_without_a_restart_of_the_process(
    start: Start, configure: Configure, new_port: Callable[[], int], eventually: Eventually, tmp_path: Path
) -> None:
    port = new_port()
    page = Page(port)
    shown, other = (
        write_pictures(tmp_path / f"{name}.mp4", headstands(people), SIZE)
        for name, people in (("shown", range(5)), ("other", [20]))
    )
    with StampedCamera(shown, Habits()) as camera:
        configure(cameras=[{"name": "hall", "source": camera.url}], web={"enabled": True, "port": port})
        running = start("run")
        eventually(lambda: page.get("/readyz"), "the camera", 40)
        page.ask("record", activity="Headstand", camera="hall", number=5, seconds=SECONDS, pause=0.2)
        phases: set[str] = set()

        def is_recorded() -> bool:
            recording = page.state()["recording"]
            phases.add(recording["phase"] if recording else "over")
            return recording is None

        eventually(is_recorded, "five examples", 40)
        assert {"pause", "recording"} < phases
        (headstand,) = page.state()["activities"]
        assert (headstand["activity"], len(headstand["examples"])) == ("Headstand", 5)
        assert "Headstand" not in page.events()

        page.ask("learn", camera="hall")
        eventually(lambda: page.state()["learning"] is None, "the end of the learning", 60)
        state = page.state()
        assert state["problem"] is None
        (learned,) = state["learned"]["activities"]
        assert (learned["activity"], learned["examples"]) == ("Headstand", 5)
        assert learned["recognized"] >= 4
        assert any("all examples of Headstand were recorded within 6 hours" in line
                   for line in state["learned"]["warnings"])  # fmt: skip

        camera.change(Habits(), other)  # a person who was not seen before
        assert page.ask("use") == {"detail": "the service restarts"}
        eventually(lambda: "Headstand" in page.events(), "an event of the new activity", 40)
        assert page.state()["learned"]["is_used"]
        assert not running.is_over()
        assert running.complaints == []
