"""One connection to an MQTT broker, with MQTT 5, or 3.1.1 if the broker does not support MQTT 5."""

from __future__ import annotations

import os
import queue
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection_errors import connection_error, login_refused_text
from harstream.mqtt.broker.quick_client import QuickClient
from harstream.mqtt.broker.tls import client_context
from harstream.wire.errors import BrokerError

CONNECT_TIMEOUT = 3.0
MQTT5_TIMEOUT = 1.5
"""Longest wait for an answer to MQTT 5, in seconds. A slower broker gets 3.1.1, which has all that is needed."""
KEEP_ALIVE = 30

# Source: MQTT 5.0, table 2-6. paho uses these codes for 3.1.1, too.
UNSUPPORTED_VERSION = 0x84
KEEP_ALIVE_TIMEOUT = 0x8D
LOGIN_REFUSED = (0x86, 0x87)
SOCKET_ERROR = re.compile(r"on socket: (?:\[Errno -?\d+\] )?(.+)")


@dataclass(frozen=True)
class Will:
    """The retained message that the broker publishes when the connection breaks."""

    topic: str
    payload: str


class Connection:
    """A connection that opens once and is then lost or closed once. A reconnection needs a new one.

    paho's own reconnection has no jitter and uses the refused version again. It would also first send the messages
    that were in flight at the loss, perhaps hours ago.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str = "",
        will: Will | None = None,
        session_lasts: int = 0,
        on_message: Callable[[str, bytes, bool], None] | None = None,
        on_delivery: Callable[[str, bytes, bool, Callable[[], None]], None] | None = None,
        on_lost: Callable[[], None] | None = None,
        on_refused: Callable[[], None] | None = None,
    ) -> None:
        """The callbacks run on paho's thread and must not block. `on_lost` is called after `close`, too.

        `on_message` takes topic, payload, and whether it was retained. `on_delivery` takes a fourth argument: a message
        counts as delivered when it is called, on any thread. Until then the broker delivers it again after a loss.
        `on_refused` is called after each entry in `refused`. `session_lasts`: seconds for which the broker queues
        messages of QoS 1 for this client id while it is away. A broker with MQTT 3.1.1 has a limit of its own.
        """
        self.version = ""
        """The version of MQTT: 5 or 3.1.1. It is empty until `open` has succeeded."""
        self.lost = threading.Event()
        self.loss_reason = ""
        self.max_packet: int | None = None
        """The largest packet that the broker takes, in bytes; None if it does not say."""
        self.refused: dict[int, str] = {}
        """The reasons of refused messages by packet identifier. The reader removes them."""
        self._address = address
        self._client_id = client_id
        self._will = will
        self._session_lasts = session_lasts
        self._on_message, self._on_delivery = on_message, on_delivery
        self._on_lost = on_lost
        self._on_refused = on_refused
        self._socket_error = ""
        self._client: paho.Client | None = None
        self._answers: queue.SimpleQueue[ReasonCode | None] = queue.SimpleQueue()

    def open(self) -> None:
        """Connect. It blocks for some seconds at most. Raises BrokerError."""
        try:
            if self._address.supports_mqtt5 and self._try_to_open(MQTTProtocolVersion.MQTTv5, MQTT5_TIMEOUT):
                self.version = "5"
            elif self._try_to_open(MQTTProtocolVersion.MQTTv311, CONNECT_TIMEOUT):
                self.version = "3.1.1"
            else:
                raise connection_error(self._address, None, timeout=CONNECT_TIMEOUT)
        except (OSError, UnicodeError) as error:
            raise connection_error(self._address, error, timeout=CONNECT_TIMEOUT) from error

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> paho.MQTTMessageInfo:
        """Queue a message for paho's thread. `is_published` of the result is true after the acknowledgement."""
        return self._open_client.publish(topic, payload, qos, retain)

    def subscribe(self, *filters: str, qos: int = 1) -> None:
        self._open_client.subscribe([(name, qos) for name in filters])

    def close(self) -> None:
        """Disconnect, so that the broker does not publish the will, and join paho's thread."""
        if self._client is None:
            return
        self._client.disconnect()
        connected = self._client.socket()
        if not self.lost.wait(1.0) and connected is not None:
            # A dead peer does not answer the disconnect, and paho's thread would wait for the answer.
            with suppress(OSError, ValueError), _same_socket(connected) as same:
                same.shutdown(socket.SHUT_RDWR)
        # paho sets its thread to None when the thread ends, even between two uses of it in loop_stop.
        with suppress(AttributeError):
            self._client.loop_stop()
        self._client = None

    @property
    def _open_client(self) -> paho.Client:
        if self._client is None:
            raise BrokerError(f"expected an open connection to {self._address.url}, got none")
        return self._client

    def _try_to_open(self, version: MQTTProtocolVersion, patience: float) -> bool:
        """Return False if the broker does not support this version. Raises OSError, UnicodeError or BrokerError."""
        client = self._new_client(version)
        self._answers = queue.SimpleQueue()
        self.lost.clear()
        if version is MQTTProtocolVersion.MQTTv5:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = self._session_lasts
            is_new = self._session_lasts == 0
            client.connect(self._address.host, self._address.port, KEEP_ALIVE, clean_start=is_new, properties=session)
        else:
            client.connect(self._address.host, self._address.port, KEEP_ALIVE)
        client.loop_start()
        self._client = client
        is_open = False
        try:
            is_open = self._accepts_version(self._answers.get(timeout=patience))
        except queue.Empty:
            # Some brokers do not answer a version that they do not support.
            pass
        finally:
            if not is_open:
                self.close()
        return is_open

    def _new_client(self, version: MQTTProtocolVersion) -> paho.Client:
        client = QuickClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if version is MQTTProtocolVersion.MQTTv5 else self._session_lasts == 0,
            protocol=version,
            transport="tcp" if self._address.path is None else "websockets",
            reconnect_on_failure=False,
            manual_ack=self._on_delivery is not None,
        )
        client.connect_timeout = CONNECT_TIMEOUT
        if self._address.tls:
            client.tls_set_context(client_context(self._address.tls_settings))
        if self._address.path is not None:
            client.ws_set_options(path=self._address.path)
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        client.on_socket_open = _send_at_once
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._acknowledged
        client.on_message = self._received
        client.on_plain_message = self._received_plain
        client.on_log = self._logged
        return client

    def _accepts_version(self, answer: ReasonCode | None) -> bool:
        """Return whether the broker supports this version. Raises BrokerError for any other refusal."""
        if answer is None or answer.value == UNSUPPORTED_VERSION:
            return False
        if answer.value in LOGIN_REFUSED:
            raise BrokerError(login_refused_text(self._address))
        if answer.is_failure:
            raise BrokerError(f"the broker at {self._address.url} refused the connection: {str(answer).lower()}")
        return True

    def _connected(self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        limit = getattr(properties, "MaximumPacketSize", None)
        self.max_packet = limit if isinstance(limit, int) else None
        self._answers.put(reason)

    def _disconnected(self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._answers.put(None)
        if self.lost.is_set():
            # paho reports a disconnect twice, the second time without the broker's reason.
            return
        self.loss_reason = self._reason_of_loss(reason, is_from_broker=flags.is_disconnect_packet_from_server)
        self.lost.set()
        if self._on_lost is not None:
            self._on_lost()

    def _acknowledged(self, client: paho.Client, data: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self.refused[mid] = str(reason).lower()
            if self._on_refused is not None:
                self._on_refused()

    def _reason_of_loss(self, reason: ReasonCode, *, is_from_broker: bool) -> str:
        """Return why the connection ended. paho calls most reasons an unspecified error."""
        if is_from_broker:
            return f"it ended the connection: {str(reason).lower()}"
        if reason.value == KEEP_ALIVE_TIMEOUT:
            return f"it did not answer for {KEEP_ALIVE} s"
        return self._socket_error or "it closed the connection without a reason"

    def _logged(self, client: paho.Client, data: Any, level: int, text: str) -> None:
        """Keep the error of the socket, which paho only logs."""
        found = SOCKET_ERROR.search(text)
        if level == LogLevel.MQTT_LOG_ERR and found is not None:
            self._socket_error = found[1].lower()

    def _received(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            # The topic is not UTF-8, which a broker must not forward. The exception would end paho's thread.
            return
        self._hand_over(topic, bytes(message.payload), message.retain, lambda: _acknowledge(client, message))

    def _received_plain(self, topic: str, payload: bytes, is_retained: bool) -> None:
        self._hand_over(topic, payload, is_retained, _do_nothing)

    def _hand_over(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        if self._on_delivery is not None:
            self._on_delivery(topic, payload, is_retained, acknowledge)
        elif self._on_message is not None:
            self._on_message(topic, payload, is_retained)


def _do_nothing() -> None:
    """Acknowledge a message of QoS 0, which needs no answer."""


def _acknowledge(client: paho.Client, message: paho.MQTTMessage) -> None:
    client.ack(message.mid, message.qos)


def _send_at_once(_: paho.Client, __: object, connected: Any) -> None:
    """Disable Nagle's algorithm, which delays the second of two messages by up to 40 ms."""
    with _same_socket(connected) as same:
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _same_socket(connected: Any) -> socket.socket:
    """Return a socket of the same connection. paho's may be wrapped for WebSockets."""
    return socket.socket(fileno=os.dup(connected.fileno()))
