"""A client teaches over HTTP: it records, deletes, learns, uses and discards, and each refusal is one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from harstream.models.transform import BgrPicture
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.teaching.chosen_model import chosen_model
from harstream.stream.teaching.learning_process import LearningProcess
from harstream.stream.teaching.recorder import ExampleRecorder
from harstream.stream.teaching.teaching import RunningModel, Teaching
from harstream.wire.errors import ControlError
from harstream.wire.values import Frame, Step
from tests.support.films import WriteFilm
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView
from tests.support.row_model import BRIGHTNESS
from tests.support.values import NOON, MakeNotice
from tests.support.waiting import Eventually

API = "/api/teaching"
HALL = {"camera": "hall", "number": 1, "seconds": 1.0, "pause": 0.0}


@dataclass
class Lessons:
    """A live view of a service that can be taught. `reload` refuses if `refusal` is set."""

    config: Config
    model: str
    recorder: ExampleRecorder = field(default_factory=ExampleRecorder)
    refusal: str = ""
    reloads: int = 0

    def __post_init__(self) -> None:
        contract = LIGHT if self.model.endswith(".onnx") else BRIGHTNESS
        running = RunningModel(self.model, contract)
        self.teaching = Teaching(running, lambda: self.config, self.reload, self.recorder, LearningProcess())
        self._view = LiveView(contract, teaching=self.teaching)
        self._view.start()
        self.client = httpx.Client(base_url=self._view.url, timeout=30)

    def reload(self) -> str:
        if self.refusal:
            raise ControlError(self.refusal)
        self.reloads += 1
        return "the service restarts"

    def state(self) -> dict[str, Any]:
        return dict(self.client.get(API).json())

    def post(self, name: str, **body: Any) -> tuple[int, Any]:
        answer = self.client.post(f"{API}/{name}", json=body)
        return answer.status_code, answer.json()

    def close(self) -> None:
        self.client.close()
        self.teaching.close()
        self._view.close()


@pytest.fixture
def lessons(tmp_path: Path, row_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Lessons]]:
    """`lessons()` gives those of a service with the model of known rows; `lessons(model)` those of another one."""
    monkeypatch.chdir(tmp_path)
    opened: list[Lessons] = []

    def open_lessons(model: Path = row_model) -> Lessons:
        cameras = (CameraConfig(name="hall", source="0"), CameraConfig(name="garden", source="1"))
        opened.append(Lessons(Config(model=str(row_model), state=tmp_path / "state", cameras=cameras), str(model)))
        return opened[-1]

    yield open_lessons
    for each in opened:
        each.close()


@pytest.fixture
def show(make_notice: MakeNotice) -> Callable[[ExampleRecorder], None]:
    """Shows 1.2 seconds of pictures."""

    def pictures(recorder: ExampleRecorder) -> None:
        for tick in range(12):
            frame = Frame("hall", NOON + tick / 10, BgrPicture(np.full((24, 32, 3), tick, np.uint8)))
            recorder.show(Step(make_notice(time=frame.time), frame))

    return pictures


@pytest.fixture
def films(film: WriteFilm) -> Callable[[Lessons], None]:
    """Puts five examples of Grey, and ordinary footage, into the state folder."""

    def put(lessons: Lessons) -> None:
        for folder in ("examples/Grey", "ordinary"):
            (lessons.config.state / folder).mkdir(parents=True)
        for level in (116, 120, 124, 128, 132):
            shutil.move(film(f"grey{level}.mp4", (2, level)), lessons.config.state / "examples" / "Grey")
        shutil.move(
            film("evening.mp4", (5, 30), (3, 250), (5, 30), (3, 250), (5, 30)), lessons.config.state / "ordinary"
        )

    return put


def test_examples_are_recorded_shown_and_deleted(
    lessons: Callable[..., Lessons], show: Callable[[ExampleRecorder], None], eventually: Eventually
) -> None:
    taught = lessons()
    code, state = taught.post("record", activity="Grey", **HALL)
    assert (code, state["recording"]["activity"], state["recording"]["phase"]) == (200, "Grey", "waiting")
    show(taught.recorder)
    eventually(lambda: taught.state()["recording"] is None, "the end of the recording")
    (grey,) = taught.state()["activities"]
    assert (grey["activity"], len(grey["examples"])) == ("Grey", 1)
    address = f"{API}/examples/Grey/{grey['examples'][0]}"
    video = taught.client.get(address)
    assert (video.status_code, video.headers["content-type"]) == (200, "video/mp4")
    assert taught.client.delete(address).json()["activities"] == []
    assert taught.client.get(address).status_code == taught.client.delete(address).status_code == 404


def test_ordinary_footage_is_recorded_beside_the_examples(
    lessons: Callable[..., Lessons], show: Callable[[ExampleRecorder], None], eventually: Eventually
) -> None:
    taught = lessons()
    assert taught.post("record", activity=None, **HALL)[1]["recording"]["activity"] is None
    show(taught.recorder)
    eventually(lambda: taught.state()["recording"] is None, "the end of the recording")
    (file,) = taught.state()["ordinary"]
    assert taught.state()["activities"] == []
    assert taught.client.get(f"{API}/ordinary/{file}").status_code == 200
    assert taught.client.delete(f"{API}/ordinary/{file}").json()["ordinary"] == []


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"activity": "Light"}, 422, "activity: the model brightness has Light already: choose another name"),
        ({"activity": "../x"}, 422, "activity: expected 1 to 60 letters, digits, spaces, - and _, such as Cooking"),
        ({"activity": ""}, 422, "activity: expected 1 to 60 letters"),
        ({"camera": "cellar"}, 404, "there is no camera 'cellar'; the cameras are hall, garden"),
        ({"number": 0}, 422, "number: Input should be greater than or equal to 1"),
        ({"seconds": 0.5}, 422, "seconds: Input should be greater than or equal to 1"),
        ({"second": 2}, 422, "expected activity, camera, number, seconds, pause; got 'second'"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    lessons: Callable[..., Lessons], changes: dict[str, Any], code: int, detail: str
) -> None:
    taught = lessons()
    answer = taught.post("record", **({"activity": "Grey"} | HALL | changes))
    assert answer[0] == code
    assert answer[1]["detail"].startswith(detail)
    assert taught.state()["recording"] is None


def test_nothing_else_happens_while_an_example_is_recorded(lessons: Callable[..., Lessons]) -> None:
    taught = lessons()
    taught.post("record", activity="Grey", **HALL)
    for asked in (("record", {"activity": "Dim", **HALL}), ("learn", {}), ("use", {}), ("discard", {})):
        code, answer = taught.post(asked[0], **asked[1])
        assert (code, answer["detail"][:8]) == (409, "expected")
    assert taught.post("stop")[0] == 200


def test_what_was_learned_is_reported_used_and_discarded(
    lessons: Callable[..., Lessons], films: Callable[[Lessons], None], eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    assert taught.post("use") == (409, {"detail": "expected a model that was taught, and nothing was learned yet"})
    assert taught.post("learn", camera="hall")[1]["learning"] == "starting"
    eventually(lambda: taught.state()["learning"] is None, "the end of the learning", 60)
    state = taught.state()
    assert (state["problem"], state["learned"]["is_used"]) == (None, False)
    (grey,) = state["learned"]["activities"]
    assert (grey["activity"], grey["examples"], grey["recognized"], grey["found"]) == ("Grey", 5, 5, 5)
    assert "0 false event(s) of the new activities" in state["learned"]["notes"][0]

    (folder,) = taught.config.state.glob("taught-*")
    assert taught.post("use") == (200, {"detail": "the service restarts"})
    assert (chosen_model(taught.config.state), taught.reloads) == (folder, 1)
    again = lessons(folder)  # the service after its restart
    assert again.state()["learned"]["is_used"]
    assert again.post("discard") == (200, {"detail": "the service restarts"})
    assert (chosen_model(taught.config.state), folder.exists()) == (None, False)
    assert again.state()["learned"] is None


def test_what_cannot_be_used_now_is_not_chosen(
    lessons: Callable[..., Lessons], films: Callable[[Lessons], None], eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    taught.post("learn")
    eventually(lambda: taught.state()["learning"] is None, "the end of the learning", 60)
    taught.refusal = "a restart would overwrite the recording: stop, then start"
    assert taught.post("use") == (409, {"detail": taught.refusal})
    assert chosen_model(taught.config.state) is None
    assert taught.post("discard") == (200, {"detail": "deleted"})
    assert [*taught.config.state.glob("taught-*")] == []


def test_too_few_examples_are_one_line_and_leave_nothing(
    lessons: Callable[..., Lessons], films: Callable[[Lessons], None], eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    taught.client.delete(f"{API}/examples/Grey/grey116.mp4")
    taught.post("learn")
    eventually(lambda: taught.state()["problem"], "the reason", 60)
    assert taught.state()["problem"].startswith("each activity needs at least 5 examples, Grey has 4")
    assert taught.state()["learned"] is None
    assert [*taught.config.state.glob("*taught*")] == []


def test_a_model_that_cannot_be_taught_says_so(lessons: Callable[..., Lessons], light_model: Path) -> None:
    taught = lessons(light_model)
    reason = taught.state()["impossible"]
    assert reason.startswith("expected a model with encoder.onnx and head.onnx")
    assert taught.post("record", activity="Grey", **HALL) == (409, {"detail": reason})
    assert taught.post("learn") == (409, {"detail": reason})


def test_nothing_is_taught_where_nothing_may_be_changed() -> None:
    view = LiveView(BRIGHTNESS)
    view.start()
    try:
        answer = httpx.get(f"{view.url}api/teaching")
        assert (answer.status_code, answer.json()["detail"][:24]) == (403, "nothing can be taught ov")
    finally:
        view.close()
