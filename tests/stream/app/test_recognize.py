"""The public API gives events and scores of files, of pictures in memory and of a camera, and calls a model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harstream
from harstream.clips.video import pictures
from harstream.models.picture import Pixels
from harstream.stream.app.recognize import new_default_pipeline, replayed_steps
from tests.support.films import WriteFilm


def grey(level: int) -> Pixels:
    return np.full((24, 32, 3), level, np.uint8)


def timed(*parts: tuple[float, int], start: float = 0.0) -> Iterator[tuple[float, Pixels]]:
    """Yields pictures at 25 Hz: each part is its seconds and its grey level."""
    number = 0
    for seconds, level in parts:
        for _ in range(round(seconds * 25)):
            yield start + number / 25, grey(level)
            number += 1


def test_events_of_a_file_are_a_start_and_an_end(film: WriteFilm, light_model: Path) -> None:
    file = film("yard.mp4", (1, 0), (4, 200), (4, 0))
    events = list(harstream.recognize(file, model=light_model))
    kinds = harstream.EventType
    assert [event.type for event in events if event.type is not kinds.UPDATE] == [kinds.START, kinds.END]
    assert {(event.activity, event.camera) for event in events} == {("Light", "yard")}
    assert events[-1].started_at == pytest.approx(1.2, abs=0.3)
    assert events[-1].ended_at == pytest.approx(5, abs=0.5)
    assert events[-1].confidence.mean > 0.6


def test_a_path_as_text_gives_the_same_events(film: WriteFilm, light_model: Path) -> None:
    file = film("yard.mp4", (3, 200))
    assert list(harstream.recognize(str(file), model=str(light_model))) == list(
        harstream.recognize(file, model=harstream.load(light_model))
    )


def test_pictures_in_memory_give_the_events_of_the_same_file(film: WriteFilm, light_model: Path) -> None:
    file = film("yard.mp4", (1, 0), (3, 200))
    arrays = ((time, picture.bgr()) for time, picture in pictures(file))
    of_arrays = list(harstream.recognize(arrays, model=light_model, camera="yard"))
    of_file = list(harstream.recognize(file, model=light_model))
    found, expected = (
        [(event.type, event.activity, event.started_at, event.ended_at) for event in each]
        for each in (of_arrays, of_file)
    )
    assert found == expected


def test_an_event_is_yielded_while_pictures_still_arrive(light_model: Path) -> None:
    taken: list[float] = []

    def live() -> Iterator[tuple[float, Pixels]]:
        for time, picture in timed((60, 200)):
            taken.append(time)
            yield time, picture

    start = next(iter(harstream.recognize(live(), model=light_model)))
    assert start.type is harstream.EventType.START
    assert taken[-1] < 5


@pytest.mark.parametrize("start", [None, datetime(2026, 11, 20, 13, tzinfo=UTC)])
def test_scores_are_those_of_each_window_with_their_labels(
    film: WriteFilm, light_model: Path, start: datetime | None
) -> None:
    file = film("yard.mp4", (2, 0), (2, 200))
    found = list(harstream.recognize(file, model=light_model, scores=True, start_time=start))
    # The model takes windows of five frames at 10 Hz: 40 frames on the grid give 36 windows.
    assert len(found) == pytest.approx(36, abs=1)
    origin = start.timestamp() if start else 0.0
    assert found[0].time - origin == pytest.approx(0.4, abs=0.04)
    assert found[0].span == pytest.approx(0.4, abs=0.04)
    assert found[0].by_label()["Dark"] > 0.9
    assert found[-1].by_label()["Light"] > 0.9
    assert sum(found[0].by_label().values()) == pytest.approx(1)


def test_scores_come_as_soon_as_a_window_of_pictures_in_memory_is_complete(light_model: Path) -> None:
    arrays = timed((60, 200))
    first = next(iter(harstream.recognize(arrays, model=light_model, scores=True)))
    assert next(arrays)[0] - first.time < 0.05


def test_scores_are_those_of_the_pipeline(film: WriteFilm, light_model: Path) -> None:
    """The pipeline encodes one frame per call; `recognize` encodes several frames of a file at once."""
    file, model = film("yard.mp4", (1, 0), (1, 60), (1, 200)), harstream.load(light_model)
    steps = replayed_steps("yard", file, 0.0, new_default_pipeline(model.recognizer, "yard"))
    expected = [step.notice.scores for step in steps if step.notice.scores]
    found = list(harstream.recognize(file, model=model, scores=True))
    assert [scores.time for scores in found] == [scores.time for scores in expected]
    assert [scores.span for scores in found] == [scores.span for scores in expected]
    assert np.allclose([each.values for each in found], [each.values for each in expected], atol=1e-6)


def test_a_higher_threshold_gives_no_event(film: WriteFilm, make_dim: Path, light_model: Path) -> None:
    assert list(harstream.recognize(make_dim, model=light_model))
    assert not list(harstream.recognize(make_dim, model=light_model, start_above=0.9999))


@pytest.fixture
def make_dim(film: WriteFilm) -> Path:
    """Writes a film that scores just over 0.6: the model gives 0.5 at a grey level of 38 and 0.95 at 51."""
    return film("dim.mp4", (3, 45))


def test_same_file_gives_the_same_ids_and_another_path_gives_others(film: WriteFilm, light_model: Path) -> None:
    one = film("yard.mp4", (3, 200))
    (one.parent / "other").mkdir()
    other = one.parent / "other" / "yard.mp4"
    other.write_bytes(one.read_bytes())
    ids = [{event.id for event in harstream.recognize(file, model=light_model)} for file in (one, one, other)]
    assert ids[0] == ids[1]
    assert ids[0].isdisjoint(ids[2])


def test_start_time_dates_the_events(film: WriteFilm, light_model: Path) -> None:
    start = datetime(2026, 11, 20, 13, tzinfo=UTC)
    events = list(harstream.recognize(film("yard.mp4", (3, 200)), model=light_model, start_time=start))
    assert all(0 <= event.started_at - start.timestamp() < 1 for event in events)


def test_a_loop_that_is_left_closes_the_file(film: WriteFilm, light_model: Path) -> None:
    events = harstream.recognize(film("yard.mp4", (30, 200)), model=light_model)
    for _ in events:
        break
    events.close()  # type: ignore[attr-defined]
    assert next(events, None) is None


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("no-such.mp4", ("no such file", "no-such.mp4")),
        (Path("no-such.mp4"), ("no such file",)),
        ("ftp://camera/", ("expected", "rtsp://")),
        (1234, ()),
    ],
)
def test_a_missing_source_is_refused(source: str | Path | int, parts: tuple[str, ...], light_model: Path) -> None:
    with pytest.raises(harstream.SourceError) as refused:
        list(harstream.recognize(source, model=light_model))
    assert all(part in str(refused.value) for part in parts)


def test_a_missing_model_is_refused() -> None:
    for ask in (
        lambda: harstream.load("no-such-model"),
        lambda: harstream.recognize("clip.mp4", model="no-such-model"),
    ):
        with pytest.raises(harstream.ModelError, match="no-such-model"):
            ask()


@pytest.mark.parametrize(
    ("item", "got"),
    [
        (grey(1), "ndarray"),
        ((0.0, grey(1)[..., 0]), "(24, 32) uint8"),
        ((0.0, grey(1).astype(np.float32)), "float32"),
        (("now", grey(1)), "str"),
    ],
)
def test_pictures_of_another_form_are_refused(item: object, got: str, light_model: Path) -> None:
    with pytest.raises(ValueError, match="expected pairs of seconds and a BGR picture") as refused:
        list(harstream.recognize([item], model=light_model))  # type: ignore[list-item]
    assert got in str(refused.value)


def test_model_gives_a_probability_for_each_label(light_model: Path) -> None:
    model = harstream.load(light_model)
    assert model(np.full((5, 120, 160, 3), 200, np.uint8)) == {
        "Dark": pytest.approx(0, abs=1e-3), "Light": pytest.approx(1, abs=1e-3)
    }  # fmt: skip
    assert (model.contract.frames, model.provider) == (5, "CPU")


def test_model_called_on_frames_gives_the_scores_of_their_window(light_model: Path) -> None:
    """The call accepts BGR pictures of any size and transforms them as a stream does."""
    spots = np.random.default_rng(1).integers(0, 256, (20, 9, 7, 3), dtype=np.uint8)  # too large to pass for noise
    frames = spots.repeat(10, axis=1).repeat(10, axis=2)
    lrcn = harstream.load("lrcn")
    (scores,) = harstream.recognize(((n / 10, frame) for n, frame in enumerate(frames)), model=lrcn, scores=True)
    assert lrcn(frames) == pytest.approx(scores.by_label(), abs=1e-5)
    assert len(lrcn(frames)) == 13


@pytest.mark.parametrize("shape", [(4, 8, 8, 3), (5, 8, 8), (5, 8, 8, 1), (8, 8, 3)])
def test_model_refuses_frames_of_another_shape(shape: tuple[int, ...], light_model: Path) -> None:
    with pytest.raises(ValueError, match=r"expected frames|a picture must be"):
        harstream.load(light_model)(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("arguments", "error", "expected"),
    [
        ({"source": "."}, harstream.SourceError, "name the files in it"),
        ({"source": None}, TypeError, "source: expected a path"),
        ({"start_time": "x"}, TypeError, "start_time: expected a datetime, got 'x'"),
        ({"start_above": "x"}, ValueError, "start_above: expected a score from 0 to 1, got 'x'"),
        ({"start_above": 3}, ValueError, "from 0 to 1, got 3"),
        ({"view": "people"}, ValueError, "view: expected picture, motion, person, got 'people'"),
        ({"view": ["person"]}, ValueError, "view: expected picture, motion, person, got ['person']"),
        ({"source": [(1.0, grey(0)), (0.5, grey(0))]}, ValueError, "seconds increase, got 0.5 after 1.0"),
        ({"source": [(float("nan"), grey(0))]}, ValueError, "seconds increase, got nan"),
    ],
)
def test_a_wrong_argument_says_what_was_expected_and_what_came(
    light_model: Path, arguments: dict[str, Any], error: type[Exception], expected: str
) -> None:
    recognize: Any = harstream.recognize  # the arguments have wrong types
    with pytest.raises(error, match=re.escape(expected)):
        list(recognize(**({"source": [], "model": light_model} | arguments)))
