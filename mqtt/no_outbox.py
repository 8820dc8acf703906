"""Takes the place of the outbox in a publisher that publishes no events, such as that of the forecaster."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harstream.mqtt.outbox import QueuedMessage


class NoOutbox:
    """An outbox in which nothing ever waits. It has no file."""

    dropped = 0

    def __init__(self, path: Path) -> None:
        """`path`: nothing is there, but the file with the client id is named after it."""
        self.path = path

    def start(self) -> None:
        """Do nothing: there is no file."""

    def save(self) -> None:
        """Do nothing: nothing waits."""

    def close(self) -> None:
        """Do nothing: there is no file."""

    def put(self, topic: str, payload: bytes, delay: float | None = None) -> None:
        """Raises NotImplementedError."""
        raise NotImplementedError(f"this publisher has no outbox for the event on {topic}")

    def oldest(self, *, except_on: Collection[str] = ()) -> QueuedMessage | None:
        return None

    def remove(self, message: QueuedMessage) -> None:
        """Do nothing: no message comes from here."""

    def seconds_refused(self, topic: str) -> float:
        return 0.0

    def end_refusal(self, topic: str) -> None:
        """Do nothing: no event is refused."""

    def has_message(self, *, except_on: Collection[str]) -> bool:
        return False

    @property
    def hangs(self) -> bool:
        return False

    @property
    def where_events_wait(self) -> str:
        return ""

    def __len__(self) -> int:
        return 0
