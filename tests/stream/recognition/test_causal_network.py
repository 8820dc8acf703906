"""A causal network remembers the frames of each subject, and forgets them after a gap and after its longest stretch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.box import Box
from harstream.models.contract import CausalNetwork, ModelContract
from harstream.models.picture import Picture
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.causal_memory import CausalMemory
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.protocols import State
from harstream.stream.recognition.row_parts import window_rows
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.motion import Motion
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.recognition.views.view import Sight, View
from harstream.wire.values import CameraChange, CameraState, Frame


class CountingNetwork:
    """A CausalRecognizer whose first score is a hundredth of the frames that its state saw, and its second one a
    thousandth of their mean grey level."""

    parts = ()
    lookback = 0
    row_shape: tuple[int, ...] = (3,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)

    def __init__(self, longest: int = 20, frames: int = 2) -> None:
        self.contract = ModelContract(
            "counting", "1", ("Count", "Grey", "Idle"), ("Idle",), frames=frames, height=4, width=4, rate=10.0,
            causal=CausalNetwork(outputs=(0, 1, 2), longest=longest),
        )  # fmt: skip

    def step(self, frame: NDArray[np.uint8], state: State | None) -> tuple[NDArray[np.float32], State]:
        earlier = state["levels"] if state else np.zeros(0)
        levels = np.append(earlier, float(frame[0, 0, 0]))
        scores = len(levels) / 100, levels.mean() / 1000
        return np.array([*scores, 1 - sum(scores)], np.float32), {"levels": levels}

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return np.stack([self.step(frame, None)[0] for frame in frames])

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return windows[:, -1].astype(np.float32)


class TwoPeople:
    """A View that sees a person in each half of the picture."""

    region = Box(0, 0, 1, 1)

    def update(self, picture: Picture, motion: Motion, time: float) -> tuple[Sight, ...]:
        return Sight(1, Box(0, 0, 0.5, 1)), Sight(2, Box(0.5, 0, 1, 1))

    def clear(self) -> None:
        pass


def grey(level: int) -> NDArray[np.uint8]:
    return np.full((4, 4, 3), level, np.uint8)


def frames(levels: Sequence[int], camera: str = "hall", start: float = 0.0) -> list[Frame]:
    return [Frame(camera, start + number / 10, BgrPicture(grey(each))) for number, each in enumerate(levels)]


def new_pipeline(recognizer: CountingNetwork) -> Pipeline:
    settings = TrackerSettings(0.8, 0.5)
    return Pipeline(recognizer, lambda name: Tracker(name, recognizer.contract, settings), ExponentialMean)


def seen(recognizer: CountingNetwork, arrivals: Sequence[Arrival]) -> list[tuple[int, int] | None]:
    """Return, for each arrival, how many frames the scores rest on and their mean grey level."""
    steps = new_pipeline(recognizer).steps([arrival] for arrival in arrivals)
    return [_rest(step.notice.scores.values) if step.notice.scores else None for step in steps]


def _rest(scores: NDArray[np.float32]) -> tuple[int, int]:
    return round(float(scores[0]) * 100), round(float(scores[1]) * 1000)


@pytest.mark.parametrize(
    ("longest", "expected"),
    [(4, [1, 2, 3, 4, 3, 4, 3, 4]), (5, [1, 2, 3, 4, 5, 3, 4, 5]), (1, [1, 1, 1, 1, 1, 1, 1, 1])],
)
def test_no_state_sees_more_than_the_longest_stretch_and_the_next_one_began_halfway(
    longest: int, expected: list[int]
) -> None:
    memory = CausalMemory(CountingNetwork(longest, frames=1))
    assert [_rest(memory.row(grey(0)))[0] for _ in range(8)] == expected


def test_a_network_is_shown_at_most_two_frames_for_each_new_one() -> None:
    network = CountingNetwork(longest=5)
    shown = list[bool]()

    def step(frame: NDArray[np.uint8], state: State | None) -> tuple[NDArray[np.float32], State]:
        shown.append(state is None)
        return CountingNetwork.step(network, frame, state)

    network.step = step  # type: ignore[method-assign]
    memory = CausalMemory(network)
    for _ in range(3):  # until the second state begins
        memory.row(grey(0))
    assert len(shown) == 3
    for _ in range(4):
        memory.row(grey(0))
    assert len(shown) == 3 + 2 + 2 + 1 + 2


def test_the_first_scores_come_when_the_network_has_seen_a_window() -> None:
    assert seen(CountingNetwork(frames=3), frames([10, 20, 30, 40])) == [None, None, (3, 20), (4, 25)]


def test_a_gap_empties_what_the_network_remembers() -> None:
    arrivals = [*frames([10, 20, 30]), *frames([100, 200], start=1.0)]
    assert seen(CountingNetwork(), arrivals) == [None, (2, 15), (3, 20), None, (2, 150)]


def test_a_camera_that_goes_offline_empties_what_the_network_remembers() -> None:
    offline = CameraChange("hall", 0.25, CameraState.OFFLINE)
    arrivals: list[Arrival] = [*frames([10, 20, 30]), offline, *frames([100, 200], start=0.3)]
    assert seen(CountingNetwork(), arrivals) == [None, (2, 15), (3, 20), None, None, (2, 150)]


def test_frames_off_the_grid_are_not_shown() -> None:
    twice_as_fast = [Frame("hall", number / 20, BgrPicture(grey(10 * number))) for number in range(5)]
    assert seen(CountingNetwork(), twice_as_fast) == [None, None, (2, 10), None, (3, 20)]


def test_a_picture_in_which_nothing_moves_is_shown_too() -> None:
    assert seen(CountingNetwork(), frames([50, 50, 50])) == [None, (2, 50), (3, 50)]


def test_each_camera_has_a_memory_of_its_own() -> None:
    batches = zip(frames([10, 20, 30]), frames([110, 120, 130], "door"), strict=True)
    steps = list(new_pipeline(CountingNetwork()).steps(batches))
    last = {step.notice.camera: step.notice.scores for step in steps}
    assert {name: _rest(scores.values) for name, scores in last.items() if scores} == {
        "hall": (3, 20), "door": (3, 120),
    }  # fmt: skip


def test_each_person_has_a_memory_of_their_own() -> None:
    network = CountingNetwork()
    settings = TrackerSettings(0.8, 0.5)

    def new_view(settings: ViewSettings) -> View:
        return TwoPeople()

    pipeline = Pipeline(
        network, lambda name: Tracker(name, network.contract, settings), ExponentialMean,
        view=ViewSettings("person"), new_view=new_view,
    )  # fmt: skip
    halves = [np.repeat([[[level] * 3, [level + 100] * 3]], 4, axis=1)[:1].repeat(4, 0) for level in (10, 20, 30)]
    shown = [Frame("hall", number / 10, BgrPicture(half.astype(np.uint8))) for number, half in enumerate(halves)]
    (*_, last) = pipeline.steps([frame] for frame in shown)
    assert {each.person: _rest(each.scores.values) for each in last.notice.subjects if each.scores} == {
        1: (3, 20), 2: (3, 120),
    }  # fmt: skip


def test_a_window_of_a_program_is_shown_frame_by_frame() -> None:
    rows = window_rows(CountingNetwork(frames=3), [grey(10), grey(20), grey(30)])
    assert [_rest(row) for row in rows.astype(np.float32)] == [(1, 10), (2, 15), (3, 20)]
