"""Events of any stream of scores follow the rules for subscribers, also across kills.

Pipelines, trackers, histories and outboxes are real. Only the cameras and the model are invented.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.contract import ModelContract
from harstream.models.picture import Pixels
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.outbox import Outbox
from harstream.stream.history.sink import HistorySink
from harstream.stream.history.store import Query, activities, connect
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.stream.sinks.stored_events import StoredEvents
from harstream.wire.context import Context
from harstream.wire.values import CameraChange, CameraState, Event, EventType, Frame, Notice

CONTRACT = ModelContract("made up", "1", ("Jump", "Walk", "Idle"), ("Idle",), frames=3, height=2, width=2, rate=10.0)
CONTEXT = Context("nuc1", {}, CONTRACT, "ab12", "0.1.0")
NOON = 1_700_000_000.0
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (no other user can guess the name)
"""A folder on no disk, if there is one: a kill is made up here, and waiting for the disk takes most of the time."""
MILLISECOND = 0.001001
"""The wire rounds to this step."""


class ScorePicture:
    """A Picture that carries the scores to recognize in it."""

    def __init__(self, percent: tuple[int, int]) -> None:
        """`percent` holds the scores of Jump and Walk. Idle gets the rest."""
        self._percent = percent

    @property
    def size(self) -> tuple[int, int]:
        return 2, 2

    def bgr(self) -> Pixels:
        return self.model_frame(2, 2)

    def model_frame(self, height: int, width: int, box: Box = WHOLE) -> Pixels:
        jump, walk = self._percent
        return np.full((height, width, 3), (jump, walk, 100 - jump - walk), np.uint8)


class ScoreReader:
    """A Recognizer that returns the scores that the newest picture of a window carries."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (3,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames[:, 0, 0].astype(np.float32) / 100

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return windows[:, -1].astype(np.float32)


@dataclass(frozen=True)
class Shown:
    """`count` batches, `step` seconds apart: each has one frame per camera."""

    cameras: frozenset[str]
    percent: tuple[int, int]
    step: float
    count: int


@dataclass(frozen=True)
class Jumped:
    """The times of a camera's frames jump by `seconds`."""

    camera: str
    seconds: float


@dataclass(frozen=True)
class Changed:
    camera: str
    state: CameraState


@dataclass(frozen=True)
class Retuned:
    camera: str
    settings: TrackerSettings


Action = Shown | Jumped | Changed | Retuned

CAMERAS = st.sampled_from(["hall", "yard"])
DURATIONS = st.sampled_from([0.0, 0.3, 1.0, 2.0])
SETTINGS = st.builds(
    TrackerSettings,
    start_above=st.sampled_from([0.6, 0.8]),
    end_below=st.sampled_from([0.0, 0.3, 0.5]),
    hold=DURATIONS,
    gone=DURATIONS,
    merge=DURATIONS,
    update=DURATIONS,
    max_duration=st.sampled_from([0.1, 2.0, 3600.0]),
)
PERCENT = st.integers(0, 100).flatmap(lambda jump: st.tuples(st.just(jump), st.integers(0, 100 - jump)))
BOTH = frozenset({"hall", "yard"})
SURE = st.builds(
    Shown,
    cameras=st.sampled_from([BOTH, BOTH, frozenset({"hall"})]),
    percent=st.sampled_from([(100, 0), (90, 10), (70, 0), (0, 90), (0, 85)]),
    step=st.sampled_from([0.1, 0.1, 0.09]),
    count=st.integers(10, 30),
)
SHOWN = st.builds(
    Shown,
    cameras=st.frozensets(CAMERAS, min_size=1),
    percent=PERCENT | st.just((0, 0)),
    step=st.sampled_from([0.1, 0.1, 0.04, 0.13, 0.5, 0.0, -0.05]),
    count=st.integers(1, 30),
)
ACTIONS = st.one_of(
    SURE,
    SURE,
    SHOWN,
    st.builds(Jumped, CAMERAS, st.sampled_from([0.3, 3.0, 60.0, 3600.0, -0.3, -3.0, -60.0])),
    st.builds(Changed, CAMERAS, st.sampled_from(CameraState)),
    st.builds(Retuned, CAMERAS, SETTINGS),
)


@dataclass(frozen=True)
class Run:
    """One run of harstream, from its start to its end."""

    actions: list[Action]
    settings: TrackerSettings
    smoothing: float
    killed_after: int | None
    """The number of steps until the run is killed. None: it ends with its last action."""


RUNS = st.lists(
    st.builds(
        Run,
        actions=st.lists(ACTIONS, min_size=1, max_size=12),
        settings=SETTINGS,
        smoothing=st.sampled_from([0.0, 0.5]),
        killed_after=st.none() | st.integers(0, 25),
    ),
    min_size=1,
    max_size=3,
)


class Killed(BaseException):
    pass


@dataclass
class Fuse:
    """Kills a run after `left` steps."""

    left: int | None

    def burn(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


class FusedOutbox(Outbox):
    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    def put(self, topic: str, payload: bytes, delay: float | None = None) -> None:
        self._fuse.burn()
        super().put(topic, payload, delay)
        self._fuse.burn()


@dataclass
class Home:
    """The state that outlives a run: a folder, the cameras' times, and the received events."""

    folder: Path
    times: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: NOON))
    latest: float = NOON
    floors: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: NOON))
    """Times do not jump below these: after a restart, the clock has moved on."""
    events: list[Event] = field(default_factory=list)
    """Events as the pipelines report them."""
    received: list[Any] = field(default_factory=list)
    """Messages as the broker receives them."""
    histories: list[HistorySink] = field(default_factory=list)

    def execute(self, run: Run) -> None:
        """Executes a run as `stream.service` does."""
        fuse = Fuse(run.killed_after)
        history = HistorySink(self.folder / "history.sqlite", CONTEXT, days=36500)
        outbox = FusedOutbox(self.folder / "outbox.sqlite", fuse)
        mqtt = MqttSink(new_publisher(BrokerAddress("127.0.0.1", 1), outbox, CONTEXT.node), CONTEXT)
        stored = StoredEvents(history, mqtt)
        history.start()
        self.histories.append(history)
        outbox.start()  # the publisher is not started: this test takes its letters from the outbox
        for camera in ("hall", "yard"):
            self._restart_time(camera)
        try:
            for undelivered in history.undelivered:
                self._handle(undelivered, fuse, mqtt, stored)
            for notice in self._notices(run):
                self.events += notice.events
                self._handle(notice, fuse, stored, mqtt)
                if not (notice.events or notice.change):
                    stored.settle()
            history.close()
        except Killed:
            pass
        self.received += [json.loads(payload) for payload in _taken_from(outbox)]
        outbox.close()

    def _handle(self, notice: Notice, fuse: Fuse, *sinks: StoredEvents | MqttSink) -> None:
        for sink in sinks:
            if notice.events:
                fuse.burn()
            sink.handle(notice)

    def _notices(self, run: Run) -> Iterator[Notice]:
        pipeline = Pipeline(
            ScoreReader(),
            lambda camera: Tracker(camera, CONTRACT, run.settings),
            lambda: ExponentialMean(run.smoothing),
        )
        for step in pipeline.steps(self._batches(run.actions, pipeline)):
            yield step.notice
            if step.notice.change is not None and step.notice.change.state is CameraState.REMOVED:
                pipeline.forget(step.notice.camera)

    def _batches(self, actions: list[Action], pipeline: Pipeline) -> Iterator[Sequence[Arrival]]:
        for action in actions:
            match action:
                case Shown():
                    for _ in range(action.count):
                        yield [
                            Frame(camera, self._pass(camera, action.step), ScorePicture(action.percent))
                            for camera in sorted(action.cameras)
                        ]
                case Jumped():
                    self._pass(action.camera, action.seconds)
                case Changed():
                    yield [CameraChange(action.camera, self._pass(action.camera, 0.0), action.state)]
                    if action.state is CameraState.REMOVED:
                        self._restart_time(action.camera)
                case Retuned():
                    pipeline.set_tracker_settings(action.camera, action.settings)

    def _restart_time(self, camera: str) -> None:
        self.latest += 0.01
        self.times[camera] = self.floors[camera] = self.latest

    def _pass(self, camera: str, seconds: float) -> float:
        self.times[camera] = max(self.times[camera] + seconds, self.floors[camera])
        self.latest = max(self.latest, self.times[camera])
        return self.times[camera]


def _taken_from(outbox: Outbox) -> Iterator[bytes]:
    while letter := outbox.oldest():
        yield letter.payload
        outbox.remove(letter)


def check_after(runs: list[Run], check: Callable[[Home], None]) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        home = Home(Path(folder))
        try:
            for run in runs:
                home.execute(run)
            check(home)
        finally:
            for history in home.histories:
                history.close()


def by_camera(events: list[Any], camera: Callable[[Any], str]) -> list[list[Any]]:
    found = defaultdict(list)
    for event in events:
        found[camera(event)].append(event)
    return list(found.values())


def without_repeats(messages: list[Any]) -> list[Any]:
    """Keeps the first message of each id and seq, as consumers do."""
    return list({(message["id"], message["seq"]): message for message in reversed(messages)}.values())[::-1]


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def check_events(home: Home) -> None:
    """Checks one run that is not killed. The times are exact."""
    for of_camera in by_camera(home.events, lambda event: event.camera):
        ended_at, updated_at, goes_on = 0.0, 0.0, None
        for event in of_camera:
            confidence = event.confidence
            assert 0 <= confidence.mean <= confidence.peak <= 1
            assert 0 <= confidence.last <= confidence.peak
            assert event.started_at <= event.detected_at <= event.updated_at
            assert event.updated_at >= updated_at
            updated_at = event.updated_at
            if event.type is EventType.START:
                assert (goes_on, event.seq) == (None, 1)
                assert event.started_at >= ended_at
            else:
                assert goes_on is not None
                assert (event.id, event.activity, event.seq) == (goes_on.id, goes_on.activity, goes_on.seq + 1)
                assert (event.started_at, event.detected_at) == (goes_on.started_at, goes_on.detected_at)
            goes_on = event
            if event.type is EventType.END:
                assert event.ended_at is not None
                assert event.started_at <= event.ended_at <= event.updated_at
                ended_at, goes_on = event.ended_at, None
        assert goes_on is None
    starts = [event.id for event in home.events if event.type is EventType.START]
    assert len(starts) == len(set(starts))


def check_messages(home: Home) -> None:
    """Checks all runs. The last one is not killed."""
    received = without_repeats(home.received)
    for of_camera in by_camera(received, lambda message: message["camera"]):
        ended_at, goes_on = "", None
        for message in of_camera:
            assert message["started_at"] <= message["updated_at"]
            assert 0 <= message["confidence"]["mean"] <= message["confidence"]["peak"] <= 1
            if message["event_type"] == "start":
                assert (goes_on, message["seq"]) == (None, 1)
                assert message["started_at"] >= ended_at
            else:
                assert goes_on is not None
                assert (message["id"], message["seq"]) == (goes_on["id"], goes_on["seq"] + 1)
                assert message["started_at"] == goes_on["started_at"]
                assert message["updated_at"] >= goes_on["updated_at"]
            until, goes_on = message["updated_at"], message
            if message["event_type"] == "end":
                ended_at, goes_on = message["ended_at"], None
                until = ended_at
                assert message["started_at"] <= ended_at <= message["updated_at"]
            duration = seconds(until) - seconds(message["started_at"])
            assert abs(message["duration_s"] - duration) < MILLISECOND
        assert goes_on is None
    with closing(connect(home.folder / "history.sqlite")) as database:
        kept = {past.event.id: past.event.seq for past in activities(database, Query())}
    assert kept == {message["id"]: message["seq"] for message in received if message["event_type"] == "end"}


JUMPING = Shown(BOTH, (100, 0), step=0.1, count=20)
GONE_TOMORROW: list[Shown | Jumped | Changed | Retuned] = [
    JUMPING,
    Jumped("hall", 60),
    Changed("hall", CameraState.OFFLINE),
    Jumped("hall", -60),
    JUMPING,
]


@settings(max_examples=100, deadline=None)
@given(RUNS)
@example([Run(GONE_TOMORROW, TrackerSettings(0.6, 0.3, hold=0.3, merge=0.3), 0.0, None)])
def test_events_of_any_stream_follow_the_rules_exactly(runs: list[Run]) -> None:
    whole = Run(runs[0].actions, runs[0].settings, runs[0].smoothing, None)
    check_after([whole], check_events)


SWITCHED_AT_AN_UPDATE: list[Shown | Jumped | Changed | Retuned] = [
    Shown(frozenset({"hall"}), (0, 90), step=0.1, count=26),
    Shown(frozenset({"hall"}), (100, 0), step=0.1, count=10),
]


TWO_STARTS = [Shown(BOTH, (0, 90), step=0.1, count=6)]
"""Killed after five steps, between history and outbox of the second start. The next run is killed, too, when it has
delivered the first one's end again."""


@settings(max_examples=100, deadline=None)
@given(RUNS)
@example(
    [
        Run(
            [*TWO_STARTS],
            TrackerSettings(0.6, 0.5, hold=0.3, gone=1.0, merge=1.0, update=1.0, max_duration=0.1),
            0.5,
            5,
        ),
        Run([], TrackerSettings(0.6, 0.5), 0.0, 5),
        Run([], TrackerSettings(0.6, 0.3), 0.0, None),
    ]
)
@example(
    [
        Run(SWITCHED_AT_AN_UPDATE, TrackerSettings(0.6, 0.0, hold=0.0, gone=0.0, merge=0.3, update=0.3), 0.0, 25),
        Run([Jumped("hall", 0.3)], TrackerSettings(0.6, 0.0), 0.0, None),
    ]
)
def test_messages_follow_the_rules_across_kills(runs: list[Run]) -> None:
    last = Run(runs[-1].actions, runs[-1].settings, runs[-1].smoothing, None)
    check_after([*runs[:-1], last], check_messages)
