"""Opens the connections of a publisher. It makes sure first that no newer service has the node."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection, Will
from harstream.mqtt.ownership import Ownership
from harstream.mqtt.subscriptions import Subscriptions

log = logging.getLogger(__name__)

OWNER_TIMEOUT = 0.5
"""Longest wait for the retained owner message before a reconnection, in seconds."""


class Connector:
    """Connects to one broker. One thread at a time uses it."""

    def __init__(
        self,
        address: BrokerAddress,
        will: Will,
        subscriptions: Subscriptions,
        ownership: Ownership | None,
        *,
        session_lasts: int,
        on_change: Callable[[], None],
    ) -> None:
        """`session_lasts`: as in `Connection`. `on_change` is called on paho's thread after a loss or a refusal."""
        self.client_id = ""
        """The client id of all connections. Set it before the first one."""
        self._address = address
        self._will = will
        self._subscriptions = subscriptions
        self._ownership = ownership
        self._session_lasts = session_lasts
        self._on_change = on_change

    def connect(self) -> Connection:
        """Open a connection with all subscriptions. Raises BrokerError."""
        connection = Connection(
            self._address,
            client_id=self.client_id,
            will=self._will,
            session_lasts=self._session_lasts,
            on_delivery=self._subscriptions.deliver,
            on_lost=self._on_change,
            on_refused=self._on_change,
        )
        connection.open()
        for qos, topics in self._subscriptions.topics.items():
            connection.subscribe(*topics, qos=qos)
        return connection

    def reconnect(self) -> Connection | None:
        """Open a connection, or return None if a newer service has the node. Raises BrokerError."""
        self._look_for_newer_owner()
        is_taken_over = self._ownership is not None and self._ownership.newer is not None
        return None if is_taken_over else self.connect()

    def _look_for_newer_owner(self) -> None:
        """Read the owner message with another client id. With its own id, the older service would disconnect the newer.

        Raises BrokerError.
        """
        if self._ownership is None:
            return
        self._ownership.answered.clear()
        reader = Connection(
            self._address, client_id=f"har{secrets.token_hex(8)}", on_message=self._subscriptions.handle
        )
        reader.open()
        try:
            reader.subscribe(self._ownership.topic)
            self._ownership.answered.wait(OWNER_TIMEOUT)
        finally:
            reader.close()
