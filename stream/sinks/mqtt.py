"""Publishes notices and health over MQTT. It decides which messages to publish, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from harstream.models.contract import UNKNOWN
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.ownership import Ownership
from harstream.mqtt.publisher import Publisher
from harstream.wire.context import Context
from harstream.wire.health import REMOVED_REASON, Health, HealthState, NodeStats
from harstream.wire.messages.camera import ActivityMessage, HealthMessage, ObservationMessage, is_observation
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import InfoMessage, LabelsMessage, StatsMessage
from harstream.wire.payloads import OFF, OFFLINE, ON, ONLINE, availability
from harstream.wire.schemas import PUBLISHED
from harstream.wire.timestamps import live_delay
from harstream.wire.topics import Topics
from harstream.wire.values import Activity, CameraControl, CameraState, Notice

REPEAT_ACTIVITY = 60.0
"""Seconds of notice time. Home Assistant sets a sensor to unknown after twice this time without a message."""
REPEAT_HEALTH = 60.0
"""Seconds after which an unchanged health of a camera is published again."""
STATS_PERIOD = 60.0
"""Seconds between two summaries of the node."""
STOPPED_REASON = "harstream has stopped"


def new_publisher(address: BrokerAddress, outbox: Outbox, node: str, client_id: str | None = None) -> Publisher:
    """Make the publisher of a node. Its will sets the node offline if the connection breaks."""
    topics = Topics(node)
    will, ownership = Will(topics.status, OFFLINE), Ownership(topics.owner, node)
    return Publisher(address, outbox, will=will, client_id=client_id, ownership=ownership)


@dataclass
class _Camera:
    """The last published values of a camera."""

    notice: Notice
    doing: tuple[object, ...] | None = None
    activity_at: float = 0.0
    observations: int = 0
    observed_at: float | None = None
    availability: str | None = None


class MqttSink:
    """An EventSink and a HealthSink. The publisher's thread sends the messages that its methods queue.

    Only `publish_events` waits for the disk. StoredEvents calls it on a background thread.
    """

    def __init__(
        self,
        publisher: Publisher,
        context: Context,
        *,
        emission: EmissionMessage | None = None,
        observations: bool = True,
        stats: Callable[[], NodeStats] | None = None,
    ) -> None:
        """`emission`: the errors of the model, if they are known. `observations`: whether to publish the scores of
        each window. `stats` is called once a minute, on the thread of `report`."""
        self.publisher = publisher
        self.topics = Topics(context.node)
        self.context = context
        """Any thread may replace it between two notices."""
        self._with_observations = observations
        self._stats = stats
        self._stats_at: float | None = None
        self._cameras: dict[str, _Camera] = {}
        self._healths: dict[str, Health] = {}
        """The last published health of each camera."""
        self._describe_the_node(emission)

    def start(self, *, must_connect: bool = True) -> None:
        """Connect. Raises BrokerError if the broker cannot be reached or refuses the login.

        Without `must_connect` the publisher retries instead.
        """
        self.publisher.start(must_connect=must_connect)

    def on_setting(self, setting: CameraControl) -> None:
        """Retain the setting of a camera. Callable from any thread."""
        states = {"enabled": ON if setting.is_enabled else OFF, "threshold": f"{setting.threshold or 0.0:g}"}
        for name, state in states.items():
            self.publisher.retain(self.topics.setting(setting.camera, name), state.encode())

    def publish_events(self, notice: Notice) -> None:
        """Put the notice's events into the outbox. Callable from any thread."""
        delay = live_delay(notice.time, time.time())
        for event in notice.events:
            message = EventMessage.of(event, self.context, delay=delay)
            self.publisher.publish_event(self.topics.event(event.camera), message)

    def handle(self, notice: Notice) -> None:
        """Publish everything but the notice's events."""
        self.publisher.check()
        camera = self._cameras.setdefault(notice.camera, _Camera(notice))
        camera.notice = notice
        self._publish_availability(camera)
        self._publish_activity(camera)
        if self._with_observations and is_observation(notice):
            self._publish_observation(camera)
        if notice.change is not None and notice.change.state is CameraState.REMOVED:
            self._forget(notice.camera)

    def report(self, health: Health) -> None:
        last = self._healths.get(health.camera)
        if last is None or _is_changed(health, last) or health.time - last.time >= REPEAT_HEALTH:
            self._publish_health(health)
        self._publish_stats(health.time)

    def close(self) -> None:
        """Publish that node and cameras are offline. Wait a few seconds at most for messages in flight."""
        for camera in self._cameras.values():
            self._publish_goodbye(camera)
        for health in list(self._healths.values()):
            self._publish_health(_offline(health, STOPPED_REASON))
        self.publisher.close((self.topics.status, OFFLINE.encode()))

    def _forget(self, camera: str) -> None:
        """Retain that the camera is removed.

        Clearing its topics instead would send an empty message to subscribers that still know the camera.
        """
        del self._cameras[camera]
        if camera in self._healths:
            self._publish_health(_offline(self._healths[camera], REMOVED_REASON))
            del self._healths[camera]

    def _describe_the_node(self, emission: EmissionMessage | None) -> None:
        self.publisher.retain(self.topics.status, ONLINE.encode())
        self.publisher.retain(self.topics.info, InfoMessage.of(self.context, PUBLISHED).encode())
        self.publisher.retain(self.topics.labels, LabelsMessage.of(self.context).encode())
        if emission is not None:
            self.publisher.retain(self.topics.emission, emission.encode())

    def _publish_availability(self, camera: _Camera) -> None:
        change = camera.notice.change
        # Frames without an earlier change come from a file.
        now = availability(change.state) if change else camera.availability or ONLINE
        if now is not None and now != camera.availability:
            camera.availability = now
            self.publisher.retain(self.topics.availability(camera.notice.camera), now.encode())

    def _publish_activity(self, camera: _Camera) -> None:
        notice = camera.notice
        doing = _doing(notice)
        # The difference is negative after a file restarts from its first frame.
        is_recent = 0 <= notice.time - camera.activity_at < REPEAT_ACTIVITY
        if doing != camera.doing or not is_recent:
            camera.doing, camera.activity_at = doing, notice.time
            message = ActivityMessage.of(notice, self.context)
            self.publisher.retain(self.topics.activity(notice.camera), message.encode())

    def _publish_observation(self, camera: _Camera) -> None:
        notice = camera.notice
        camera.observations += 1
        message = ObservationMessage.of(notice, self.context, seq=camera.observations, previous=camera.observed_at)
        camera.observed_at = notice.time
        self.publisher.publish_now(self.topics.observation(notice.camera), message.encode())

    def _publish_health(self, health: Health) -> None:
        self._healths[health.camera] = health
        message = HealthMessage.of(health, self.context)
        self.publisher.retain(self.topics.health(health.camera), message.encode())

    def _publish_stats(self, now: float) -> None:
        if self._stats_at is None:
            self._stats_at = now
        if self._stats is None or now - self._stats_at < STATS_PERIOD:
            return
        self._stats_at = now
        stats = self._stats()  # even without a connection, so that each summary covers one minute
        if self.publisher.is_connected:
            message = StatsMessage.of(stats, self.context, self.publisher.counts)
            self.publisher.publish_now(self.topics.stats, message.encode())

    def _publish_goodbye(self, camera: _Camera) -> None:
        notice = camera.notice
        if notice.activity.name != UNKNOWN or notice.people:
            unknown = Activity(UNKNOWN, since=notice.time, confidence=0.0)
            gone = replace(notice, activity=unknown, person=None, subjects=())
            message = ActivityMessage.of(gone, self.context)
            self.publisher.retain(self.topics.activity(notice.camera), message.encode())
        if camera.availability != OFFLINE:
            self.publisher.retain(self.topics.availability(notice.camera), OFFLINE.encode())


def _doing(notice: Notice) -> tuple[object, ...]:
    """Return who does what since when. A change of it is published at once, one of a score with the next message."""
    people = [(person, each.activity.name, each.activity.since) for person, each in notice.people.items()]
    return (notice.activity.name, notice.activity.since, notice.person, *people)


def _offline(health: Health, reason: str) -> Health:
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


def _is_changed(health: Health, last: Health) -> bool:
    """Return whether anything changed except the numbers that change every second."""
    return (health.state, health.reason, health.overloaded, health.reconnects) != (
        last.state,
        last.reason,
        last.overloaded,
        last.reconnects,
    )
