"""Publishes over a broker that comes and goes: reconnects, repeats the retained states, sends events in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from harstream.mqtt.address import BrokerAddress
from harstream.mqtt.client_id import kept_client_id
from harstream.mqtt.connection import Connection, Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.pending import Message, Pending
from harstream.mqtt.retained_states import RetainedState
from harstream.mqtt.session import Closing, OnAcknowledged, Session
from harstream.mqtt.subscriptions import Handler, Subscriptions
from harstream.resilience.backoff import Backoff
from harstream.resilience.outage import Outage
from harstream.wire.errors import BrokerError, HarstreamError, SinkError
from harstream.wire.messages.event import EventMessage

log = logging.getLogger(__name__)

GOODBYE = 3.0
"""Seconds for what is left when the publisher closes."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0
"""Bounds of the waits between attempts to connect, in seconds."""
STABLE = 10.0
"""After a connection that held so long, in seconds, the waits are short again."""


class Publisher:
    """Any thread may call it. No method but `start` and `close` waits for the network."""

    def __init__(self, address: BrokerAddress, outbox: Outbox, *, will: Will) -> None:
        """The outbox is the publisher's from here on; the client id is kept in a file beside it."""
        self._address = address
        self._outbox = outbox
        self._will = will
        self._id_file = outbox.path.with_name(f"{outbox.path.name}.client-id")
        self._client_id = ""
        self._pending = Pending()
        self._closing = Closing()
        self._subscriptions = Subscriptions()
        self._on_acknowledged: OnAcknowledged | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def subscribe(self, topic: str, handler: Handler) -> None:
        """Before `start`. `topic` may have wildcards.

        The handler runs on paho's thread and must not block. `check` raises again what it raises.
        """
        self._subscriptions.add(topic, handler)

    def measure(self, on_acknowledged: OnAcknowledged) -> None:
        """Report each acknowledged event on the publisher's thread, except those that an outage held back."""
        self._on_acknowledged = on_acknowledged

    @property
    def is_connected(self) -> bool:
        return self._pending.is_connected

    @property
    def dropped(self) -> int:
        """Messages of QoS 0 that were not sent because nobody was connected."""
        return self._pending.dropped

    @property
    def waiting(self) -> int:
        """Events that the broker has not acknowledged yet."""
        return len(self._outbox)

    @property
    def lost(self) -> int:
        """Events that the broker will never get: they became too old, or too many."""
        return self._outbox.dropped

    @property
    def is_republishing(self) -> bool:
        """Will all retained states be published again?"""
        return self._pending.is_republishing

    def start(self, *, must_connect: bool) -> None:
        """Raises SinkError; with `must_connect` BrokerError if nobody answers or the broker refuses us."""
        self._outbox.start()
        try:
            self._client_id = kept_client_id(self._id_file)
            connection = self._connect() if must_connect else None
        except HarstreamError:
            self._outbox.close()
            raise
        self._thread = threading.Thread(target=self._run, args=(connection,), name="mqtt")
        self._thread.start()

    def check(self) -> None:
        """Raises SinkError if the thread or a handler has failed by an internal error."""
        failure = self._failure or self._subscriptions.failure
        if failure is not None:
            raise SinkError(f"expected MQTT to work, it failed: {failure!r}") from failure

    def retain(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        """Publish a retained message, again after every reconnection; while away, only the last one of a topic."""
        self._pending.retain(RetainedState(topic, payload, qos))

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        """Remove what a topic retains, also what an earlier run retained.

        `then` is called on the publisher's thread when the broker has acknowledged it.
        """
        self._pending.clear(topic, then)

    def republish(self, delay: float) -> None:
        """Publish all retained states once in so many seconds, however often it is called meanwhile."""
        self._pending.republish(delay)

    def publish_event(self, topic: str, message: EventMessage) -> None:
        """Publish with QoS 1, through the outbox."""
        self._outbox.put(topic, message.encode(), message.delay)
        self._pending.wake()

    def publish_now(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0: now or never."""
        self._pending.pass_on(Message(topic, payload))

    def close(self, last_state: tuple[str, bytes]) -> None:
        """Publish what is left, and `last_state`, a retained topic and payload, at the end. Waits some seconds."""
        topic, payload = last_state
        self._closing.begin(RetainedState(topic, payload, qos=1), GOODBYE)
        self._pending.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if waiting := len(self._outbox):
                log.info("%d events wait in %s for the next run", waiting, self._outbox.path)
        self._outbox.close()

    def _run(self, connection: Connection | None) -> None:
        backoff = Backoff(self._closing.event, first=FIRST_WAIT, longest=LONGEST_WAIT)
        short_lived = 0
        try:
            while connection := connection or self._reconnect(backoff):
                held = self._serve(connection)
                short_lived = short_lived + 1 if held < STABLE else 0
                if held >= STABLE:
                    backoff.reset()
                if not self._closing.event.is_set():
                    self._log_loss(connection, short_lived)
                connection = None
        except Exception as error:
            # `check` raises it again, where somebody counts and logs it.
            self._failure = error

    def _reconnect(self, backoff: Backoff) -> Connection | None:
        """Try until it succeeds. None if the publisher is closed in the meantime."""
        outage = Outage(log, self._outbox.path, begins="events wait in %s, still retrying: %s", logs_each_reason=True)
        while backoff.wait():
            try:
                return self._connect()
            except BrokerError as error:
                outage.record_failure(error)
        return None

    def _connect(self) -> Connection:
        connection = Connection(
            self._address,
            client_id=self._client_id,
            will=self._will,
            on_message=self._subscriptions.handle,
            on_lost=self._pending.wake,
        )
        connection.open()
        if topics := self._subscriptions.topics:
            connection.subscribe(*topics)
        counts = f"; {self.waiting} events waited, {self.dropped} observations were dropped so far"
        has_counts = self.waiting or self.dropped
        log.info("connected to %s with MQTT %s%s", self._address.url, connection.version, counts if has_counts else "")
        return connection

    def _serve(self, connection: Connection) -> float:
        """Publish until the connection is lost or the publisher closes; returns how many seconds that took."""
        began = time.monotonic()
        self._pending.connect()
        try:
            Session(connection, self._pending, self._outbox, self._closing, self._on_acknowledged).run()
        finally:
            self._pending.disconnect()
            connection.close()
        return time.monotonic() - began

    def _log_loss(self, connection: Connection, short_lived: int) -> None:
        # A broker throws out the first of two clients with one id; few say so.
        hint = f"; again so soon: if this node was copied, delete {self._id_file} there" if short_lived > 1 else ""
        text = "lost the broker %s: %s; events wait in %s%s"
        log.warning(text, self._address.url, connection.why_lost, self._outbox.path, hint)
