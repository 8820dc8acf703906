"""Connects a forecaster to the broker: receives the node's messages, and retains the forecasts."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harstream.forecast.client.announcements import ForecastAnnouncements
from harstream.forecast.client.diary import FILE
from harstream.forecast.client.diary_threads import DiaryThreads
from harstream.forecast.client.diary_writer import Written, once_written
from harstream.forecast.client.evidence import Recognizer
from harstream.forecast.client.forecaster import AboutCamera, Forecaster
from harstream.forecast.client.learned import ForecasterSettings, learn
from harstream.forecast.client.soundness import MOST_CAMERAS, Unsound, check_emission, check_labels
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.ownership import Ownership
from harstream.mqtt.publisher import Publisher
from harstream.resilience.outage import QUIET, Outage
from harstream.wire.errors import NodeTakenOver, SinkError
from harstream.wire.messages.camera import HealthMessage, ObservationMessage
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.message import why_invalid
from harstream.wire.messages.node import LabelsMessage
from harstream.wire.payloads import OFFLINE, ONLINE
from harstream.wire.topics import NAME, Topics

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds."""
MOST_WAITING = 20_000
"""Messages that may wait for the forecaster. Newer ones are dropped, and the log says how many."""
SESSION_LASTS = 7 * 86400
"""Seconds for which the broker queues events while no forecaster runs."""
SILENT_AFTER = 10.0
"""Seconds after the start without a description of the node's model after which the log says so."""
GONE_BACK = b'"dt":-'
"""In an observation whose times have gone back, because a replay starts again. No later one takes its place."""
MAX_BYTES = 256 * 1024
"""The longest message that is read."""


@dataclass(frozen=True)
class Settings:
    """What the command line and config.yaml say."""

    forecaster: ForecasterSettings
    state: Path
    """The folder for the diary."""
    discovery: str | None = None
    """Home Assistant's discovery prefix. None announces nothing."""
    waits: bool = False
    """Whether it waits for a broker that cannot be reached at the start."""


@dataclass(frozen=True)
class _Received:
    """A message that waits for the forecaster."""

    topic: str
    payload: bytes
    acknowledge: Callable[[], None]
    """The broker delivers an event again, until this is called."""


_KINDS: Mapping[str, type[AboutCamera]] = {
    "observation": ObservationMessage,
    "event": EventMessage,
    "health": HealthMessage,
}


class ForecastService:
    """Runs until `stop`. Only the thread that calls `run` touches the forecaster. Its workers wait for the disk."""

    def __init__(self, address: BrokerAddress, settings: Settings, wall_clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, wall_clock
        node = settings.forecaster.node
        self._topics = Topics(node)
        self._threads = DiaryThreads(settings.state / FILE)
        self._publisher = Publisher(
            address,
            NoOutbox(settings.state / "forecaster"),
            will=Will(self._topics.forecaster, OFFLINE),
            ownership=Ownership(self._topics.forecaster_owner, node, who="forecaster"),
            session_lasts=SESSION_LASTS,
        )
        self._publisher.set_takeover_handler(self.stop)
        self._waiting: queue.Queue[_Received] = queue.Queue(MOST_WAITING)
        self._announcements = ForecastAnnouncements(
            self._publisher, address.url, settings.state, node, settings.discovery, self._threads.workers.writing
        )
        self._stopping = threading.Event()
        self._overflow = Outage(
            log,
            node,
            begins="messages of %s are dropped: %s",
            ends="messages of %s are followed again; %d were dropped",
            quiet=QUIET,
        )
        """Only paho's thread uses it."""
        self._outage = Outage(
            log, "a message", begins="%s is ignored: %s", ends="%s can be read again; %d were ignored", quiet=QUIET
        )
        self._silence = Outage(log, f"har/{node}", begins="%s is silent: %s")
        self._labels: LabelsMessage | None = None
        self._emission: EmissionMessage | None = None
        self._is_described_anew = False
        """Whether labels or emission came since the forecaster was made."""
        self._forecaster: Forecaster | None = None
        self._early: deque[_Received] = deque()
        """Events that the broker queued. It sends some in front of the node's retained description."""
        self._observed: dict[str, bytes] = {}
        """The last observation since the last tick, by topic. A tick has use for one window of a camera."""
        for kind in ("labels", "emission", "camera/+/health"):
            self._publisher.subscribe(f"har/{node}/{kind}", self._receive, qos=0)
        self._publisher.subscribe(f"har/{node}/camera/+/observation", self._receive_observation, qos=0)
        self._publisher.receive(f"har/{node}/camera/+/event", self._receive_event)

    def stop(self) -> None:
        """End `run` soon. Callable from any thread and from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Follow the node until `stop`. Raises BrokerError if it does not wait for the broker.

        Raises SinkError, also if the disk hangs at the end, and NodeTakenOver after a newer forecaster of the node has
        begun.
        """
        self._threads.start()
        self._announcements.start()
        try:
            self._publisher.retain(self._topics.forecaster, ONLINE.encode())
            self._publisher.start(must_connect=not self._settings.waits)
            self._follow()
        finally:
            # The diary comes first, so that the broker still hears what is written.
            if is_written := self._threads.close():
                self._announcements.clear_forecasts()
            self._publisher.close((self._topics.forecaster, OFFLINE.encode()))
            self._overflow.close()
        if not is_written:
            raise SinkError(f"{self._threads.diary.path} hangs: check the disk")
        if (newer := self._publisher.newer_owner) is not None:
            raise NodeTakenOver(
                f"expected to be the only forecaster of node {newer.node!r}, got a newer one on {newer.host}: "
                "this one ends; one is enough for a node"
            )

    def _receive(self, topic: str, payload: bytes, _: bool) -> None:
        """Queue a message. It runs on paho's thread."""
        self._queue(_Received(topic, payload, lambda: None))

    def _receive_observation(self, topic: str, payload: bytes, _: bool) -> None:
        """Keep the last observation of a camera until the next tick. It runs on paho's thread."""
        earlier = self._observed.get(topic, b"")
        if GONE_BACK not in earlier and (earlier or len(self._observed) < MOST_CAMERAS):
            self._observed[topic] = payload

    def _receive_event(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        """Queue an event. It runs on paho's thread."""
        self._queue(_Received(topic, payload, acknowledge))

    def _queue(self, received: _Received) -> None:
        try:
            self._waiting.put_nowait(received)
        except queue.Full:
            received.acknowledge()
            self._overflow.record_failure(f"{MOST_WAITING} wait already")
        else:
            self._overflow.record_success()

    def _follow(self) -> None:
        due = began = time.monotonic()
        while not self._stopping.is_set():
            due = max(due + TICK, time.monotonic() - TICK)
            while (left := due - time.monotonic()) > 0 and not self._stopping.is_set():
                self._handle_next(min(left, 0.2))
            self._check()
            if self._labels is None and time.monotonic() - began > SILENT_AFTER and self._publisher.is_connected:
                self._silence.record_failure(
                    "does harstream run there? `harstream listen` shows the nodes of the broker"
                )
            self._tick(self._clock())

    def _check(self) -> None:
        """Raises SinkError if receiving fails. Logs when the disk hangs."""
        self._publisher.check()
        self._threads.check()

    def _tick(self, now: float) -> None:
        for topic in list(self._observed):
            self._work_off(_Received(topic, self._observed.pop(topic), lambda: None))
        if self._forecaster is not None:
            for message in self._forecaster.tick(now):
                self._announcements.retain(message)
            self._announcements.announce(self._forecaster.places, self._forecaster.states.activities)

    def _handle_next(self, timeout: float) -> None:
        try:
            received = self._waiting.get(timeout=timeout)
        except queue.Empty:
            return
        if self._labels is None and received.topic.endswith("/event"):
            self._early.append(received)
            return
        while self._labels is not None and self._early:
            self._work_off(self._early.popleft())
        self._work_off(received)

    def _work_off(self, received: _Received) -> None:
        writes: Sequence[Written] = ()
        try:
            writes = self._handle(received.topic, received.payload)
        except (ValidationError, Unsound) as error:
            reason = why_invalid(error) if isinstance(error, ValidationError) else str(error)
            self._outage.record_failure(f"{received.topic[:200]!r}: {reason}")
        else:
            self._outage.record_success()
        if not self._stopping.is_set():  # a stop may have come before there was a forecaster for it
            once_written(writes, received.acknowledge)

    def _handle(self, topic: str, payload: bytes) -> Sequence[Written]:
        """Return what is written to the diary.

        Raises ValidationError for a message that is not of harstream, and Unsound for one that cannot be true.
        """
        if len(payload) > MAX_BYTES or not payload:
            return ()
        match topic.split("/")[2:]:
            case ["labels"]:
                labels = LabelsMessage.model_validate_json(payload)
                check_labels(labels)
                self._labels, self._is_described_anew = labels, True
            case ["emission"]:
                self._emission, self._is_described_anew = EmissionMessage.model_validate_json(payload), True
            case ["camera", camera, kind]:
                return self._handle_camera(camera, _KINDS[kind].model_validate_json(payload), self._clock())
        return ()

    def _handle_camera(self, camera: str, message: AboutCamera, now: float) -> Sequence[Written]:
        """Handle a message on the topic of a camera. Before the node has described its model, it means nothing."""
        if message.camera != camera or not NAME.fullmatch(camera):
            raise Unsound(f"it is about camera {message.camera[:80]!r}")
        forecaster = self._current_forecaster(now)
        return () if forecaster is None else forecaster.handle(message, now)

    def _current_forecaster(self, now: float) -> Forecaster | None:
        """Return the forecaster of the model that the node described last; None before it did.

        The broker sends the retained description in front of everything about cameras but queued events.
        """
        if self._is_described_anew and self._labels is not None:
            self._begin(self._labels, now)
            self._is_described_anew = False
        return self._forecaster

    def _begin(self, labels: LabelsMessage, now: float) -> None:
        """Follow the model that the node describes, if it is another one than before."""
        recognizer = Recognizer(labels, self._emission_of(labels))
        if self._forecaster is not None and self._forecaster.recognizer == recognizer:
            return
        # Messages wait meanwhile.
        learning = self._threads.workers.learning.submit(self._new_forecaster, recognizer, now)
        while not learning.done() and not self._stopping.wait(0.1):
            self._check()
        if learning.done():
            self._forecaster = learning.result()

    def _new_forecaster(self, recognizer: Recognizer, now: float) -> Forecaster:
        """Learn from the diary."""
        diary = self._threads.diary
        known = sum(diary.count(activity) for activity in recognizer.states.activities)
        log.info("follows har/%s: %d of its activities are in the diary", self._topics.node, known)
        learned = learn(diary, recognizer.states, self._settings.forecaster, now)
        return Forecaster(recognizer, diary, self._threads.workers, learned, self._settings.forecaster)

    def _emission_of(self, labels: LabelsMessage) -> EmissionMessage | None:
        """Return what the node says about the errors of the model with these labels; None without a sound message."""
        emission = self._emission
        if emission is None or emission.labels_sha != labels.labels_sha:
            return None  # of an earlier model
        try:
            check_emission(emission, labels.labels)
        except Unsound as error:
            log.warning("the emission of %s is ignored: %s", self._topics.node, error)
            return None
        return emission
