"""Notices over MQTT: which message each becomes, and when it is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harstream.models.contract import UNKNOWN
from harstream.mqtt.address import BrokerAddress
from harstream.mqtt.announcer import Announcer
from harstream.mqtt.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.stream.service.camera_commands import CameraCommands
from harstream.stream.service.protocols import Controls
from harstream.wire.context import Context
from harstream.wire.messages.camera import ActivityMessage, HealthMessage, ObservationMessage, is_observation
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import InfoMessage, LabelsMessage, StatsMessage
from harstream.wire.payloads import OFFLINE, ONLINE, availability, encode_json
from harstream.wire.schemas import PUBLISHED
from harstream.wire.timestamps import live_delay
from harstream.wire.topics import Topics
from harstream.wire.values import Activity, CameraControl, CameraState, Health, HealthState, NodeStats, Notice

REPEAT_ACTIVITY = 60.0
"""Seconds of notice time; half of what Home Assistant waits before it calls a silent sensor unknown."""
REPEAT_HEALTH = 60.0
"""Seconds after which a camera's health is said again where nothing worth a message has changed."""
STATS_PERIOD = 60.0
"""Seconds."""
STOPPED = "harstream has stopped"
REMOVED = "it is watched no more"


@dataclass
class _Camera:
    """What was last said of a camera."""

    notice: Notice
    activity: tuple[str, float] | None = None
    said_at: float = 0.0
    observations: int = 0
    observed_at: float | None = None
    availability: str | None = None


class MqttSink:
    """An EventSink and a HealthSink. `handle` and `report` only hand over; the publisher's thread publishes."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        context: Context,
        outbox: Outbox,
        emission: Mapping[str, object] | None = None,
        observations: bool = True,
        controls: Controls | None = None,
        stats: Callable[[], NodeStats] | None = None,
        on_forecast: Callable[[str, bytes, bool], None] | None = None,
    ) -> None:
        """The outbox is this sink's from here on; it is opened by `start`. `stats` is asked once a minute, on `tell`'s
        thread. `on_forecast` hears what others forecast: topic, payload, and whether it was retained."""
        self.topics = Topics(context.node)
        self._context = context
        self._with_observations = observations
        self._stats = stats
        self._summed_up_at: float | None = None
        self._cameras: dict[str, _Camera] = {}
        self._healths: dict[str, Health] = {}
        """What was last said."""
        self.publisher = Publisher(address, outbox, will=Will(self.topics.status, OFFLINE))
        memory = outbox.path.with_name(f"{outbox.path.name}.announced")
        self._announcer = Announcer(self.publisher, address.url, memory)
        self._remote = None if controls is None else CameraCommands(self.publisher, self.topics, controls)
        if on_forecast is not None:
            self.publisher.subscribe(self.topics.forecast("+"), on_forecast)
        self._describe_the_node(emission)

    def start(self, *, must_connect: bool = True) -> None:
        """Raises BrokerError if the broker cannot be reached or refuses us; without `must_connect` it keeps trying."""
        self.publisher.start(must_connect=must_connect)
        self._announcer.start()

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        """Once started: what Home Assistant is to discover, and nothing else, as `stream.discovery` writes it."""
        self._announcer.announce(announcements)

    def show(self, control: CameraControl) -> None:
        """How a camera is set. From any thread."""
        if self._remote is not None:
            self._remote.show(control)

    def handle(self, notice: Notice) -> None:
        self._post_events(notice)
        self.publisher.check()
        camera = self._cameras.setdefault(notice.camera, _Camera(notice))
        camera.notice = notice
        self._say_availability(camera)
        self._say_activity(camera)
        if self._with_observations and is_observation(notice):
            self._say_observation(camera)
        if notice.change is not None and notice.change.state is CameraState.REMOVED:
            self._forget(notice.camera)

    def report(self, health: Health) -> None:
        said = self._healths.get(health.camera)
        if said is None or _is_news(health, said) or health.time - said.time >= REPEAT_HEALTH:
            self._say_health(health)
        self._say_stats(health.time)

    def close(self) -> None:
        """Says goodbye; waits some seconds at most for what is on its way."""
        for camera in self._cameras.values():
            self._say_goodbye(camera)
        for health in list(self._healths.values()):
            self._say_health(_at_its_end(health, STOPPED))
        self.publisher.close((self.topics.status, OFFLINE.encode()))

    def _forget(self, camera: str) -> None:
        """What is retained of it stays, and says that it is gone: taken back, it would be an empty message to those who
        have not heard yet that there is no such camera."""
        del self._cameras[camera]
        if camera in self._healths:
            self._say_health(_at_its_end(self._healths[camera], REMOVED))
            del self._healths[camera]

    def _describe_the_node(self, emission: Mapping[str, object] | None) -> None:
        self.publisher.retain(self.topics.status, ONLINE.encode())
        self.publisher.retain(self.topics.info, InfoMessage.of(self._context, PUBLISHED).encode())
        self.publisher.retain(self.topics.labels, LabelsMessage.of(self._context).encode())
        if emission is not None:
            self.publisher.retain(self.topics.emission, encode_json(emission))

    def _post_events(self, notice: Notice) -> None:
        delay = live_delay(notice.time, time.time())
        for event in notice.events:
            message = EventMessage.of(event, self._context, delay=delay)
            self.publisher.publish_event(self.topics.event(event.camera), message)

    def _say_availability(self, camera: _Camera) -> None:
        change = camera.notice.change
        # A frame without a change before it comes from a file.
        said = availability(change.state) if change else camera.availability or ONLINE
        if said is not None and said != camera.availability:
            camera.availability = said
            self.publisher.retain(self.topics.availability(camera.notice.camera), said.encode())

    def _say_activity(self, camera: _Camera) -> None:
        notice = camera.notice
        activity = (notice.activity.name, notice.activity.since)
        # Below 0: a replayed file began anew.
        is_recent = 0 <= notice.time - camera.said_at < REPEAT_ACTIVITY
        if activity != camera.activity or not is_recent:
            camera.activity, camera.said_at = activity, notice.time
            message = ActivityMessage.of(notice, self._context)
            self.publisher.retain(self.topics.activity(notice.camera), message.encode())

    def _say_observation(self, camera: _Camera) -> None:
        notice = camera.notice
        camera.observations += 1
        message = ObservationMessage.of(notice, self._context, seq=camera.observations, previous=camera.observed_at)
        camera.observed_at = notice.time
        self.publisher.publish_now(self.topics.observation(notice.camera), message.encode())

    def _say_health(self, health: Health) -> None:
        self._healths[health.camera] = health
        message = HealthMessage.of(health, self._context)
        self.publisher.retain(self.topics.health(health.camera), message.encode())

    def _say_stats(self, now: float) -> None:
        if self._summed_up_at is None:
            self._summed_up_at = now
        if self._stats is None or now - self._summed_up_at < STATS_PERIOD:
            return
        self._summed_up_at = now
        stats = self._stats()  # also while nobody hears: they are those of one minute
        if self.publisher.is_connected:
            message = StatsMessage.of(
                stats,
                self._context,
                waiting=self.publisher.waiting,
                dropped_observations=self.publisher.dropped,
                dropped_events=self.publisher.lost,
            )
            self.publisher.publish_now(self.topics.stats, message.encode())

    def _say_goodbye(self, camera: _Camera) -> None:
        notice = camera.notice
        if notice.activity.name != UNKNOWN:
            gone = replace(notice, activity=Activity(UNKNOWN, since=notice.time, confidence=0.0))
            message = ActivityMessage.of(gone, self._context)
            self.publisher.retain(self.topics.activity(notice.camera), message.encode())
        if camera.availability != OFFLINE:
            self.publisher.retain(self.topics.availability(notice.camera), OFFLINE.encode())


def _at_its_end(health: Health, reason: str) -> Health:
    now = max(time.time(), health.time)
    return replace(
        health,
        time=now,
        state=HealthState.OFFLINE,
        since=now,
        reason=reason,
        trouble=None,
        fps=0.0,
        dropping=0.0,
        behind=0.0,
        overloaded=False,
    )


def _is_news(health: Health, said: Health) -> bool:
    """Numbers that change every second are not; they come with the next message."""
    return (health.state, health.reason, health.overloaded, health.reconnects) != (
        said.state,
        said.reason,
        said.overloaded,
        said.reconnects,
    )
