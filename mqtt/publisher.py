"""The one thread that speaks to a broker: it reconnects, repeats the states, and sends the outbox in order."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho

from harstream.mqtt.connection import BrokerAddress, Connection, Will
from harstream.mqtt.outbox import Letter, Outbox
from harstream.resilience.backoff import Backoff
from harstream.resilience.outage import Outage
from harstream.resilience.whole_file import write_whole
from harstream.wire import encoding as wire
from harstream.wire.errors import BrokerError, HarstreamError, SinkError

log = logging.getLogger(__name__)

HELD_AFTER = 5.0
"""An event older than this, in seconds, when a connected broker is handed it, is historical."""
GOODBYE = 3.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0
"""Bounds of the waits between attempts to connect, in seconds."""
STABLE = 10.0
"""After a connection that held so long, in seconds, the waits are short again."""

Packet = tuple[str, bytes]
State = tuple[bytes, int]
"""Payload and quality of service."""


class Publisher:
    """No method but `start` and `close` waits for the network."""

    def __init__(self, address: BrokerAddress, outbox: Outbox, *, will: Will) -> None:
        """The outbox is the sender's from here on; the client id is kept in a file beside it."""
        self.is_connected = False
        self.dropped = 0
        """Messages of QoS 0 that were not sent: nobody was connected."""
        self._address = address
        self._outbox = outbox
        self._will = will
        self._client_id = ""
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._on_acknowledged: Callable[[bytes, float], None] | None = None
        self._handlers: dict[str, Callable[[str, bytes, bool], None]] = {}
        self._short_lived = 0
        self._closing = threading.Event()
        self._backoff = Backoff(self._closing, first=FIRST_WAIT, longest=LONGEST_WAIT)
        self._outage = Outage(log, outbox.path, begins="events wait in %s, still retrying: %s", logs_each_reason=True)
        self._deadline = float("inf")
        # Guards all below. Never held while paho is called: paho calls back with its own locks held.
        self._changed = threading.Condition()
        self._states: dict[str, State] = {}
        self._unsaid: dict[str, None] = {}
        self._taken_back: dict[str, Callable[[], None]] = {}
        self._say_again_at: float | None = None
        self._passing: deque[Packet] = deque()
        self._last_word: Packet | None = None

    def subscribe(self, topic: str, handler: Callable[[str, bytes, bool], None]) -> None:
        """Before `start`. `topic` may have wildcards. The handler is called with a message's topic and payload,
        and whether it was retained, on paho's thread, and must not block; what it raises `check` raises again."""
        self._handlers[topic] = handler

    def measure(self, on_acknowledged: Callable[[bytes, float], None]) -> None:
        """Called, on the sender's thread, with an event and the seconds from its being put into the outbox until the
        broker has it; not for one that an outage held back."""
        self._on_acknowledged = on_acknowledged

    @property
    def waiting(self) -> int:
        """Events that the broker does not have yet."""
        return len(self._outbox)

    @property
    def lost(self) -> int:
        """Events that the broker will never get: they became too old, or too many."""
        return self._outbox.dropped

    def start(self, *, must_connect: bool) -> None:
        """Raises SinkError; BrokerError if nobody answers or we are refused, unless it may keep trying."""
        self._outbox.start()
        try:
            self._client_id = self._kept_client_id()
            connection = self._connect() if must_connect else None
        except HarstreamError:
            self._outbox.close()
            raise
        self._thread = threading.Thread(target=self._run, args=(connection,), name="mqtt")
        self._thread.start()

    def check(self) -> None:
        """Raises SinkError if the thread or a handler has failed by a fault of ours."""
        if self._failure is not None:
            raise SinkError(f"expected MQTT to work, it failed: {self._failure!r}") from self._failure

    def retain(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        """Retained, repeated after every reconnection; of several while away only the last is said."""
        with self._changed:
            self._states[topic] = payload, qos
            self._unsaid[topic] = None
            self._changed.notify()

    def clear(self, topic: str, then: Callable[[], None]) -> None:
        """Remove what a topic retains, also of an earlier run; `then` is called, on the sender's thread, when a
        broker has acknowledged it."""
        with self._changed:
            self._taken_back[topic] = then
        self.retain(topic, b"")

    def republish(self, delay: float) -> None:
        """All states, in so many seconds; asked again meanwhile, once."""
        with self._changed:
            self._say_again_at = time.monotonic() + delay
            self._changed.notify()

    def publish_event(self, topic: str, payload: bytes) -> None:
        """QoS 1, through the outbox: an event, encoded."""
        self._outbox.put(topic, payload)
        self._wake()

    def publish_now(self, topic: str, payload: bytes) -> None:
        """QoS 0: now or never."""
        with self._changed:
            if not self.is_connected or len(self._passing) >= 1000:
                self.dropped += 1
            else:
                self._passing.append((topic, payload))
                self._changed.notify()

    def close(self, last_word: Packet) -> None:
        """Sends what is left, `last_word` (a retained state) at the end; waits some seconds at most."""
        with self._changed:
            self._last_word = last_word
            self._deadline = time.monotonic() + GOODBYE
            self._closing.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if waiting := len(self._outbox):
                log.info("%d events wait in %s for the next run", waiting, self._outbox.path)
        self._outbox.close()

    def _run(self, connection: Connection | None) -> None:
        try:
            while connection is not None or not self._closing.is_set():
                connection = connection or self._reconnect()
                if connection is not None:
                    self._serve(connection)
                    connection = None
        except Exception as error:
            # `check` raises it again, where somebody counts and logs it.
            self._failure = error

    def _connect(self) -> Connection:
        connection = Connection(
            self._address,
            client_id=self._client_id,
            will=self._will,
            on_message=self._handle,
            on_lost=self._wake,
        )
        connection.open()
        if self._handlers:
            connection.subscribe(*self._handlers)
        waiting, dropped = len(self._outbox), self.dropped
        counts = f"; {waiting} events waited, {dropped} observations were dropped so far" if waiting or dropped else ""
        log.info("connected to %s with MQTT %s%s", self._address.url, connection.version, counts)
        return connection

    def _reconnect(self) -> Connection | None:
        """Tries until it succeeds. None if the publisher is closed in the meantime."""
        while self._backoff.wait():
            try:
                connection = self._connect()
            except BrokerError as error:
                self._outage.record_failure(error)
            else:
                self._outage.record_success()
                return connection
        return None

    def _serve(self, connection: Connection) -> None:
        """Until the connection is lost, or the sender is closed and all is said."""
        began = time.monotonic()
        with self._changed:
            self.is_connected = True
            self._unsaid = dict.fromkeys(self._states)
        try:
            self._send_all(connection)
        finally:
            with self._changed:
                self.is_connected = False
                self.dropped += len(self._passing)
                self._passing.clear()
            connection.close()
        is_short = time.monotonic() - began < STABLE
        self._short_lived = self._short_lived + 1 if is_short else 0
        if not is_short:
            self._backoff.reset()
        if not self._closing.is_set():
            self._tell_the_loss(connection)

    def _send_all(self, connection: Connection) -> None:
        states_sent: deque[paho.MQTTMessageInfo] = deque(maxlen=1000)
        while not connection.lost.is_set():
            # Asked first: what was handed over before the close is then seen below, whatever comes between.
            is_closing = self._closing.is_set()
            states, passing = self._next_packets(connection)
            for topic, (payload, qos) in states:
                states_sent.append(connection.publish(topic, payload, qos=qos, retain=True))
                if not payload and self._wait_for(states_sent[-1], connection):
                    self._is_taken_back(topic)
            for topic, payload in passing:
                connection.publish(topic, payload, qos=0, retain=False)
            letter = self._outbox.oldest()
            if letter is not None:
                self._send_letter(letter, connection)
            elif len(self._outbox):
                # The disk does not give back what it holds; ask again, but not in a tight loop.
                self._closing.wait(1.0)
            if is_closing and (letter is None or time.monotonic() > self._deadline):
                break
        if self._last_word is not None:
            states_sent.append(connection.publish(*self._last_word, qos=1, retain=True))
            # Stops at the first that is not acknowledged: the time is up, or the connection lost.
            all(self._wait_for(info, connection) for info in states_sent)

    def _next_packets(self, connection: Connection) -> tuple[list[tuple[str, State]], list[Packet]]:
        """Waits for something to send, an event in the outbox, or the end; states and passing messages."""
        with self._changed:
            while True:
                wait = None if self._say_again_at is None else self._say_again_at - time.monotonic()
                if wait is not None and wait <= 0:
                    self._say_again_at = wait = None
                    self._unsaid = dict.fromkeys(self._states)
                if (
                    self._unsaid
                    or self._passing
                    or len(self._outbox)
                    or connection.lost.is_set()
                    or self._closing.is_set()
                ):
                    break
                self._changed.wait(wait)
            states = [(topic, self._states[topic]) for topic in self._unsaid]
            passing = list(self._passing)
            self._unsaid.clear()
            self._passing.clear()
        return states, passing

    def _is_taken_back(self, topic: str) -> None:
        with self._changed:
            payload, _ = self._states[topic]
            if payload:
                return  # set anew meanwhile
            del self._states[topic]
            self._unsaid.pop(topic, None)
            then = self._taken_back.pop(topic)
        then()

    def _send_letter(self, letter: Letter, connection: Connection) -> None:
        # One at a time: an event that has to be sent again could overtake, or be overtaken.
        payload = wire.as_historical(letter.payload) if letter.age > HELD_AFTER else letter.payload
        fetched = time.monotonic()
        info = connection.publish(letter.topic, payload, qos=1, retain=False)
        if self._wait_for(info, connection):
            self._outbox.remove(letter)
            if self._on_acknowledged is not None and letter.age <= HELD_AFTER:
                self._on_acknowledged(letter.payload, letter.age + time.monotonic() - fetched)

    def _wait_for(self, info: paho.MQTTMessageInfo, connection: Connection) -> bool:
        """Whether it was acknowledged before the connection was lost or the last moment of a close had passed."""
        while True:
            try:
                info.wait_for_publish(0.2)
            except (RuntimeError, ValueError):
                # paho's way to say that it was not sent: the connection was gone already.
                return False
            if info.is_published():
                return True
            if connection.lost.is_set() or time.monotonic() > self._deadline:
                return False

    def _tell_the_loss(self, connection: Connection) -> None:
        hint = ""
        if self._short_lived > 1:
            # A broker throws out the first of two clients with one id; few say so.
            hint = f"; again so soon: if this node was copied, delete {self._id_file} there"
        text = "lost the broker %s: %s; events wait in %s%s"
        log.warning(text, self._address.url, connection.why_lost, self._outbox.path, hint)

    def _handle(self, topic: str, payload: bytes, is_retained: bool) -> None:
        try:
            for wanted, handler in self._handlers.items():
                if paho.topic_matches_sub(wanted, topic):
                    handler(topic, payload, is_retained)
        except Exception as error:
            # paho's thread would die of it; `check` raises it again.
            self._failure = error

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    @property
    def _id_file(self) -> Path:
        return self._outbox.path.with_name(f"{self._outbox.path.name}.client-id")

    def _kept_client_id(self) -> str:
        """The same for every run: with a new id each time a broker would not know that the old one is gone."""
        try:
            kept = self._id_file.read_text().strip() if self._id_file.exists() else ""
            # 3.1.1 promises 23 letters and digits, no more.
            if not re.fullmatch(r"[A-Za-z0-9]{1,23}", kept):
                kept = f"har{secrets.token_hex(8)}"
                write_whole(self._id_file, f"{kept}\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SinkError(f"expected to keep the MQTT client id in {self._id_file}, got: {error}") from error
        return kept
