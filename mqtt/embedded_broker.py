"""A broker inside this process (amqtt, MQTT 3.1.1), for this machine only. It saves the installation of a broker."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType

from amqtt.broker import Broker
from amqtt.errors import BrokerError as AmqttError
from amqtt.session import Session

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.embedded_listener import LISTENER, EmbeddedListener
from harstream.wire.errors import SinkError

STOP_TIMEOUT = 2.5
TIME_UNTIL_CONNECT = 10.0
"""Seconds after which a connection without a CONNECT is closed."""
BACKLOG = 1000
"""Connections that may wait to be accepted."""


class _Broker(Broker):  # type: ignore[misc]  # amqtt has no types
    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Send what is retained for a subscription. amqtt sends a new client that of all clients' subscriptions."""
        subscribers = self._subscriptions.get(subscription[0], [])
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class EmbeddedBroker:
    """Runs a broker on its own thread inside a `with` block. Retained messages are in memory."""

    def __init__(self, port: int = 1883, *, time_until_connect: float = TIME_UNTIL_CONNECT) -> None:
        """`time_until_connect`: longest wait for the first packet of a connection, in seconds."""
        # amqtt misreads an MQTT 5 connect packet with a will and does not answer.
        self.address = BrokerAddress("127.0.0.1", port, supports_mqtt5=False)
        self._port = port
        self._time_until_connect = time_until_connect
        self._listener: EmbeddedListener | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def refused(self) -> int:
        """Number of connections that were closed, because they were too many or did not speak MQTT."""
        return 0 if self._listener is None else self._listener.refused

    def __enter__(self) -> EmbeddedBroker:
        """Raises SinkError if the port is in use."""
        # amqtt logs each step and each failed attempt of a client with tracebacks. This class raises what matters.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.WARNING)
        started: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="broker")
        self._thread.start()
        try:
            self._stop = started.result()
        except (AmqttError, OSError) as error:
            self._thread.join()
            raise SinkError(self._start_error(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self, started: Future[Callable[[], object]]) -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as error:
            # `__enter__` raises it again. After the start, only the shutdown raises, which ends the broker anyway.
            if not started.done():
                started.set_exception(error)

    async def _serve(self, started: Future[Callable[[], object]]) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        broker = _Broker(
            {
                "listeners": {LISTENER: {"type": "external", "bind": f"127.0.0.1:{self._port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        self._listener = listener = EmbeddedListener(broker, time_until_connect=self._time_until_connect)
        loop.set_exception_handler(listener.report)
        await broker.start()
        server = await asyncio.start_server(listener.accept, "127.0.0.1", self._port, backlog=BACKLOG)
        started.set_result(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()
        server.close()
        await asyncio.wait_for(broker.shutdown(), STOP_TIMEOUT)

    def _start_error(self, error: Exception) -> str:
        cause = error.__cause__ or error
        if not isinstance(cause, OSError):
            return f"expected to start a broker on port {self._port}, got: {error}"
        if "in use" in str(cause):
            return (
                f"port {self._port} is in use, perhaps by a broker: use it with --broker {self.url}, "
                "or choose another with mqtt.embedded_port"
            )
        return f"expected to start a broker on port {self._port}, got: {(cause.strerror or str(cause)).lower()}"
