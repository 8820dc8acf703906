"""A client teaches over HTTP: it records, deletes, learns, uses and discards, and each refusal is one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from harstream.stream.teaching.chosen_model import chosen_model
from tests.support.films import WriteFilm
from tests.support.lessons import TEACHING, OpenLessons, PutFilms
from tests.support.live_view import LiveView
from tests.support.row_model import BRIGHTNESS
from tests.support.waiting import Eventually

HALL = {"camera": "hall", "number": 1, "seconds": 1.0, "pause": 0.0}


def test_examples_are_recorded_shown_and_deleted(lessons: OpenLessons, eventually: Eventually) -> None:
    taught = lessons()
    code, state = taught.post("record", activity="Grey", **HALL)
    assert (code, state["recording"]["activity"], state["recording"]["phase"]) == (200, "Grey", "waiting")
    taught.show(0, 12)
    eventually(lambda: taught.state()["recording"] is None, "the end of the recording")
    (grey,) = taught.state()["activities"]
    assert (grey["activity"], len(grey["examples"])) == ("Grey", 1)
    address = f"{TEACHING}/examples/Grey/{grey['examples'][0]}"
    video = taught.client.get(address)
    assert (video.status_code, video.headers["content-type"]) == (200, "video/mp4")
    assert taught.client.delete(address).json()["activities"] == []
    assert taught.client.get(address).status_code == taught.client.delete(address).status_code == 404


def test_ordinary_footage_is_recorded_beside_the_examples(lessons: OpenLessons, eventually: Eventually) -> None:
    taught = lessons()
    assert taught.post("record", activity=None, **HALL)[1]["recording"]["activity"] is None
    taught.show(0, 12)
    eventually(lambda: taught.state()["recording"] is None, "the end of the recording")
    (file,) = taught.state()["ordinary"]
    assert taught.state()["activities"] == []
    assert taught.client.get(f"{TEACHING}/ordinary/{file}").status_code == 200
    assert taught.client.delete(f"{TEACHING}/ordinary/{file}").json()["ordinary"] == []


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
    lessons: OpenLessons, changes: dict[str, Any], code: int, detail: str
) -> None:
    taught = lessons()
    answer = taught.post("record", **({"activity": "Grey"} | HALL | changes))
    assert answer[0] == code
    assert answer[1]["detail"].startswith(detail)
    assert taught.state()["recording"] is None


def test_nothing_else_happens_while_an_example_is_recorded(lessons: OpenLessons) -> None:
    taught = lessons()
    taught.post("record", activity="Grey", **HALL)
    for asked in (("record", {"activity": "Dim", **HALL}), ("learn", {}), ("use", {}), ("discard", {})):
        code, answer = taught.post(asked[0], **asked[1])
        assert (code, answer["detail"][:8]) == (409, "expected")
    assert taught.post("stop")[0] == 200


def test_what_was_learned_is_reported_used_and_discarded(
    lessons: OpenLessons, films: PutFilms, eventually: Eventually
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


def test_what_cannot_be_used_now_is_not_chosen(lessons: OpenLessons, films: PutFilms, eventually: Eventually) -> None:
    taught = lessons()
    films(taught)
    taught.post("learn")
    eventually(lambda: taught.state()["learning"] is None, "the end of the learning", 60)
    taught.refusal = "a restart would overwrite the recording: stop, then start"
    assert taught.post("use") == (409, {"detail": taught.refusal})
    assert chosen_model(taught.config.state) is None
    assert taught.post("discard") == (200, {"detail": "deleted"})
    assert [*taught.config.state.glob("taught-*")] == []


def test_a_learning_that_is_stopped_leaves_nothing(
    lessons: OpenLessons, films: PutFilms, eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    taught.post("learn")
    eventually(lambda: str(taught.state()["learning"]).startswith("reading video"), "the first video", 60)
    assert taught.post("stop")[0] == 200
    eventually(lambda: taught.state()["learning"] is None, "the end of the learning")
    state = taught.state()
    assert (state["problem"], state["learned"], len(state["activities"][0]["examples"])) == (None, None, 5)
    assert sorted(each.name for each in taught.config.state.iterdir()) == ["examples", "ordinary"]


def test_two_activities_that_cannot_be_told_apart_are_named(
    lessons: OpenLessons, films: PutFilms, film: WriteFilm, eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    (taught.config.state / "examples" / "Gray").mkdir()
    for level in (117, 121, 125, 129, 133):
        shutil.move(film(f"gray{level}.mp4", (2, level)), taught.config.state / "examples" / "Gray")
    taught.post("learn")
    eventually(lambda: taught.state()["learning"] is None, "the end of the learning", 60)
    warnings = taught.state()["learned"]["warnings"]
    assert any("Gray and Grey cannot be told apart" in warning for warning in warnings), warnings


def test_too_few_examples_are_one_line_and_leave_nothing(
    lessons: OpenLessons, films: PutFilms, eventually: Eventually
) -> None:
    taught = lessons()
    films(taught)
    taught.client.delete(f"{TEACHING}/examples/Grey/grey116.mp4")
    taught.post("learn")
    eventually(lambda: taught.state()["problem"], "the reason", 60)
    assert taught.state()["problem"].startswith("each activity needs at least 5 examples, Grey has 4")
    assert taught.state()["learned"] is None
    assert [*taught.config.state.glob("*taught*")] == []


def test_a_model_that_cannot_be_taught_says_so(lessons: OpenLessons, light_model: Path) -> None:
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
