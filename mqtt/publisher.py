"""Publishes through outages of the broker: reconnects, republishes the retained states, sends events in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.client_id import load_or_create_client_id
from harstream.mqtt.broker.connection import Connection, Will
from harstream.mqtt.broker.tls import warn_if_insecure
from harstream.mqtt.connector import Connector
from harstream.mqtt.delivery import Delivery
from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.ownership import Ownership
from harstream.mqtt.publish_queue import Message, PublishQueue
from harstream.mqtt.refusals import SET_ASIDE_AFTER, Refusals
from harstream.mqtt.retained_states import RetainedState
from harstream.mqtt.session import CloseRequest, OnAcknowledged, Session
from harstream.mqtt.subscriptions import Handler, Receiver, Subscriptions
from harstream.resilience.backoff import Backoff
from harstream.resilience.outage import Outage
from harstream.wire.errors import BrokerError, HarstreamError, SinkError
from harstream.wire.health import DeliveryCounts
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import OwnerMessage

log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 3.0
"""Longest time for the remaining messages when the publisher closes, in seconds."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0
"""Shortest and longest wait between two attempts to connect, in seconds."""
STABLE = 10.0
"""A connection that lasts this many seconds resets the waits."""


class Publisher:
    """Publishes over one broker. It is thread-safe. Only `start` and `close` wait for the network."""

    def __init__(
        self,
        address: BrokerAddress,
        outbox: Outbox | NoOutbox,
        *,
        will: Will,
        client_id: str | None = None,
        ownership: Ownership | None = None,
        set_aside_after: float = SET_ASIDE_AFTER,
        session_lasts: int = 0,
    ) -> None:
        """The publisher starts and closes the outbox. Files beside it store the client id and refused events.

        `outbox`: with NoOutbox, the publisher publishes no events.
        `client_id`: None makes one. `ownership`: the claim on the node's name; None lets others have the same name.
        `set_aside_after`: seconds of refusals after which the events of a topic no longer wait.
        `session_lasts`: seconds for which the broker queues messages for the subscriptions of QoS 1 between two runs.
        """
        self._address = address
        self._outbox = outbox
        self._id_file = outbox.path.with_name(f"{outbox.path.name}.client-id")
        self._client_id = client_id
        self._ownership = ownership
        self._on_taken_over: Callable[[], None] = lambda: None
        self._queue = PublishQueue()
        self._delivery = Delivery(Refusals(outbox, set_aside_after=set_aside_after))
        self._close_request = CloseRequest()
        self._subscriptions = Subscriptions()
        self._connector = Connector(
            address, will, self._subscriptions, ownership, session_lasts=session_lasts, on_change=self._queue.wake
        )
        if ownership is not None:
            self._subscriptions.add(ownership.topic, self._owner_changed)
        self._on_acknowledged: OnAcknowledged | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def subscribe(self, topic: str, handler: Handler, *, qos: int = 1) -> None:
        """Set the handler of a topic, which may have wildcards. Call it before `start`.

        The handler runs on paho's thread and must not block. `check` raises the handler's error again.
        """
        self._subscriptions.add(topic, handler, qos)

    def receive(self, topic: str, receiver: Receiver) -> None:
        """Set the receiver of a topic, as `subscribe` does.

        After a loss, the broker delivers a message again until the receiver has acknowledged it.
        """
        self._subscriptions.add_receiver(topic, receiver)

    def set_acknowledgement_handler(self, on_acknowledged: OnAcknowledged) -> None:
        """Set the function that receives each acknowledged event, except those that an outage held back.

        The publisher's thread calls it.
        """
        self._on_acknowledged = on_acknowledged

    def set_takeover_handler(self, on_taken_over: Callable[[], None]) -> None:
        """Set the function that is called when a newer service runs as this node. Call it before `start`.

        The publisher has then disconnected for good, and its thread calls the function.
        """
        self._on_taken_over = on_taken_over

    @property
    def newer_owner(self) -> OwnerMessage | None:
        """The service that took over the node; None if this one has it."""
        return None if self._ownership is None else self._ownership.newer

    @property
    def is_connected(self) -> bool:
        return self._queue.is_connected

    @property
    def dropped(self) -> int:
        """Number of dropped messages of QoS 0."""
        return self._queue.dropped

    @property
    def counts(self) -> DeliveryCounts:
        """The messages that have not arrived, by reason."""
        refusals = self._delivery.refusals
        return DeliveryCounts(
            waiting=self.waiting,
            dropped_observations=self.dropped,
            dropped_events=self.lost,
            refused=refusals.count + self._delivery.refused_states,
            set_aside=refusals.set_aside,
            too_large=self._delivery.limit.left_out,
        )

    @property
    def waiting(self) -> int:
        """Number of events that the broker has not acknowledged yet."""
        return len(self._outbox)

    @property
    def lost(self) -> int:
        """Number of events that were dropped because they were too old or too many."""
        return self._outbox.dropped

    @property
    def is_republishing(self) -> bool:
        """Whether all retained states are scheduled to be published again."""
        return self._queue.is_republishing

    def start(self, *, must_connect: bool) -> None:
        """Start the thread. Raises SinkError, and with `must_connect` BrokerError if the first attempt fails."""
        self._outbox.start()
        warn_if_insecure(self._address)
        try:
            installation = load_or_create_client_id(self._id_file)
            self._connector.client_id = self._client_id or installation
            self._begin_ownership(installation)
            connection = self._connector.connect() if must_connect else None
        except HarstreamError:
            self._outbox.close()
            raise
        # A write that hangs cannot be interrupted, so the process must be able to end without this thread.
        self._thread = threading.Thread(target=self._run, args=(connection,), name="mqtt", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises SinkError if the thread or a handler has failed with an internal error."""
        failure = self._failure or self._subscriptions.failure
        if failure is not None:
            raise SinkError(f"expected MQTT to work, it failed: {failure!r}") from failure

    def retain(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        """Publish a retained message, and again after every reconnection. Only the last payload of a topic is kept."""
        self._queue.retain(RetainedState(topic, payload, qos))

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        """Clear the retained message of a topic, also that of an earlier run.

        The publisher's thread calls `then` after the broker's acknowledgement.
        """
        self._queue.clear(topic, then)

    def republish(self, delay: float) -> None:
        """Publish all retained states again in `delay` seconds. A second call replaces the first."""
        self._queue.republish(delay)

    def publish_event(self, topic: str, message: EventMessage) -> None:
        """Publish with QoS 1, through the outbox."""
        self._outbox.put(topic, message.encode(), message.delay)
        self._queue.wake()

    def save_events(self) -> None:
        """Save events that wait in memory because the disk failed. Call it about once a second."""
        self._outbox.save()

    def publish_now(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0, or drop the message without a connection."""
        self._queue.publish_now(Message(topic, payload))

    def close(self, last_state: tuple[str, bytes]) -> None:
        """Publish the remaining messages, then retain `last_state` (topic, payload). Wait a few seconds at most."""
        topic, payload = last_state
        self._close_request.begin(RetainedState(topic, payload, qos=1), CLOSE_TIMEOUT)
        self._queue.wake()
        if self._thread is not None:
            self._join(self._thread, 2 * CLOSE_TIMEOUT)
            self._thread = None
            if waiting := len(self._outbox):
                log.info("%d events wait in %s for the next run", waiting, self._outbox.path)
        self._outbox.close()

    def _join(self, thread: threading.Thread, seconds: float) -> None:
        """Wait for the thread's end, unless the disk hangs: then the process ends without this thread."""
        deadline = time.monotonic() + seconds
        while thread.is_alive() and time.monotonic() < deadline and not self._outbox.hangs:
            thread.join(0.1)

    def _run(self, connection: Connection | None) -> None:
        backoff = Backoff(self._close_request.event, first=FIRST_WAIT, longest=LONGEST_WAIT)
        short_lived = 0
        try:
            while connection := connection or self._reconnect(backoff):
                held = self._serve(connection)
                if self.newer_owner is not None:
                    break
                short_lived = short_lived + 1 if held < STABLE else 0
                if held >= STABLE:
                    backoff.reset()
                if not self._close_request.event.is_set():
                    self._log_loss(connection, short_lived)
                connection = None
            if self.newer_owner is not None:
                self._on_taken_over()
        except Exception as error:
            # `check` raises it again, and the service counts and logs it.
            self._failure = error

    def _serve(self, connection: Connection) -> float:
        """Publish until the connection is lost or the publisher closes. Return the connection's duration in seconds."""
        began = time.monotonic()
        self._log_connection(connection)
        self._queue.connect()
        try:
            Session(
                connection,
                self._queue,
                self._outbox,
                self._close_request,
                self._delivery,
                self._on_acknowledged,
                is_taken_over=lambda: self.newer_owner is not None,
            ).run()
        finally:
            self._queue.disconnect()
            connection.close()
        return time.monotonic() - began

    def _reconnect(self, backoff: Backoff) -> Connection | None:
        """Retry until it succeeds. Return None if the publisher closes, or a newer service has the node."""
        waits = f"the broker {self._address.url} is away{self._outbox.where_events_wait}"
        outage = Outage(log, waits, begins="%s, still retrying: %s", logs_each_reason=True)
        while backoff.wait():
            try:
                return self._connector.reconnect()
            except BrokerError as error:
                outage.record_failure(error)
        return None

    def _begin_ownership(self, installation: str) -> None:
        if self._ownership is not None:
            self._ownership.begin(installation)
            self.retain(self._ownership.topic, self._ownership.claim())

    def _owner_changed(self, _: str, payload: bytes, __: bool) -> None:
        assert self._ownership is not None
        if self._ownership.handle(payload):
            self.retain(self._ownership.topic, self._ownership.claim())
        if self._ownership.newer is not None:
            self._queue.wake()

    def _log_connection(self, connection: Connection) -> None:
        counts = f"; {self.waiting} events waited, {self.dropped} observations were dropped so far"
        has_counts = self.waiting or self.dropped
        log.info("connected to %s with MQTT %s%s", self._address.url, connection.version, counts if has_counts else "")

    def _log_loss(self, connection: Connection, short_lived: int) -> None:
        # A broker disconnects the first of two clients with the same id, and often gives no reason.
        hint = "; again so soon: perhaps another client has this one's id (mqtt.client_id)" if short_lived > 1 else ""
        where = self._outbox.where_events_wait
        log.warning("lost the broker %s: %s%s%s", self._address.url, connection.loss_reason, where, hint)
