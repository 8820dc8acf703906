"""A live view of a service that can be taught, and its state folder, with the model of known rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np
import pytest

from harstream.models.transform import BgrPicture
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.teaching.learning_process import LearningProcess
from harstream.stream.teaching.recorder import ExampleRecorder
from harstream.stream.teaching.teaching import RunningModel, Teaching
from harstream.stream.web.cameras_api import HttpControl
from harstream.wire.errors import ControlError
from harstream.wire.values import CameraControl, Frame, Step
from tests.support.films import WriteFilm
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView
from tests.support.row_model import BRIGHTNESS
from tests.support.values import NOON, MakeNotice

TEACHING = "/api/teaching"


class FixedControls:
    """The camera hall, whose settings stay."""

    def cameras(self) -> list[CameraControl]:
        return [CameraControl("hall")]

    def switch(self, camera: str, *, on: bool) -> None: ...

    def set_threshold(self, camera: str, threshold: float | None) -> None: ...


@dataclass
class Lessons:
    """`reload` refuses if `refusal` is set. Without `may_control`, the page may change nothing."""

    config: Config
    model: str
    make_notice: MakeNotice
    may_control: bool = True
    recorder: ExampleRecorder = field(default_factory=ExampleRecorder)
    refusal: str = ""
    reloads: int = 0

    def __post_init__(self) -> None:
        contract = LIGHT if self.model.endswith(".onnx") else BRIGHTNESS
        running = RunningModel(self.model, contract)
        self.teaching = Teaching(running, lambda: self.config, self.reload, self.recorder, LearningProcess())
        control = HttpControl(FixedControls(), self.reload) if self.may_control else None
        self._view = LiveView(contract, teaching=self.teaching, control=control)
        self._view.start()
        self.client = httpx.Client(base_url=self._view.url, timeout=30)

    @property
    def url(self) -> str:
        return self._view.url

    def reload(self) -> str:
        if self.refusal:
            raise ControlError(self.refusal)
        self.reloads += 1
        return "the service restarts"

    def show(self, first: int, last: int) -> None:
        """Show the pictures of the hall from a tick of 0.1 s to another."""
        for tick in range(first, last):
            frame = Frame("hall", NOON + tick / 10, BgrPicture(np.full((24, 32, 3), tick, np.uint8)))
            step = Step(self.make_notice(time=frame.time), frame)
            self.recorder.show(step)
            self._view.show(step)

    def state(self) -> dict[str, Any]:
        return dict(self.client.get(TEACHING).json())

    def post(self, name: str, **body: Any) -> tuple[int, Any]:
        answer = self.client.post(f"{TEACHING}/{name}", json=body)
        return answer.status_code, answer.json()

    def close(self) -> None:
        self.client.close()
        self.teaching.close()
        self._view.close()


class OpenLessons(Protocol):
    """`lessons()` gives those of a service with the model of known rows; `lessons(model)` those of another one."""

    def __call__(self, model: Path | None = None, *, may_control: bool = True) -> Lessons: ...


class PutFilms(Protocol):
    """`films(lessons)` puts five examples of Grey, and ordinary footage, into the state folder."""

    def __call__(self, lessons: Lessons) -> None: ...


@pytest.fixture
def lessons(
    tmp_path: Path, row_model: Path, make_notice: MakeNotice, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenLessons]:
    monkeypatch.chdir(tmp_path)
    opened: list[Lessons] = []

    def open_lessons(model: Path | None = None, *, may_control: bool = True) -> Lessons:
        cameras = (CameraConfig(name="hall", source="0"), CameraConfig(name="garden", source="1"))
        config = Config(model=str(row_model), state=tmp_path / "state", cameras=cameras)
        opened.append(Lessons(config, str(model or row_model), make_notice, may_control))
        return opened[-1]

    yield open_lessons
    for each in opened:
        each.close()


@pytest.fixture
def films(film: WriteFilm) -> PutFilms:
    def put(lessons: Lessons) -> None:
        for folder in ("examples/Grey", "ordinary"):
            (lessons.config.state / folder).mkdir(parents=True)
        for level in (116, 120, 124, 128, 132):
            shutil.move(film(f"grey{level}.mp4", (2, level)), lessons.config.state / "examples" / "Grey")
        evening = film("evening.mp4", (5, 30), (3, 250), (5, 30), (3, 250), (5, 30))
        shutil.move(evening, lessons.config.state / "ordinary")

    return put
