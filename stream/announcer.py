"""Announces this node to Home Assistant, and takes back what an earlier run announced and this one does not."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from stream import wire
from stream.discovery import BIRTH
from stream.sender import Sender

log = logging.getLogger(__name__)

LONGEST_DELAY = 5.0
"""Seconds: after a restart of Home Assistant a house full of nodes would otherwise answer all at once."""


class Announcer:
    """A device leaves Home Assistant only if its retained message does: which were sent stands in a file."""

    def __init__(self, sender: Sender, broker: str, memory: Path) -> None:
        """`memory` holds a line for each that is retained somewhere: the URL of its broker, and the topic."""
        self._sender = sender
        self._broker = broker
        self._memory = memory
        # Guards all below: cameras come and go on one thread, and the broker acknowledges on another.
        self._changing = threading.Lock()
        self._announced: Mapping[str, bytes] = {}
        self._remembered: set[str] = set()
        sender.handle_messages(BIRTH, self._home_assistant_changed)

    def start(self) -> None:
        """Once the state folder is ours alone."""
        try:
            self._remembered = set(self._memory.read_text().splitlines()) if self._memory.exists() else set()
        except (OSError, UnicodeDecodeError) as error:
            self._complain(error)

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        """These (topic to payload) and no others; without any, discovery is off."""
        with self._changing:
            self._announced = announcements
            lines = (line.partition(" ") for line in self._remembered)
            here = {topic for broker, _, topic in lines if broker == self._broker}
            # Written down before it is said: a run that is killed in between has said at most what the file knows.
            self._remember(self._remembered | {self._line(topic) for topic in announcements})
        for topic in sorted(here - announcements.keys()):
            self._sender.take_back(topic, partial(self._forget, topic))
        for topic, payload in announcements.items():
            self._sender.set_state(topic, payload)

    def _home_assistant_changed(self, _: str, payload: bytes, __: bool) -> None:
        if payload == wire.ONLINE.encode():
            self._sender.say_again(random.uniform(0, LONGEST_DELAY))

    def _forget(self, topic: str) -> None:
        with self._changing:
            if topic not in self._announced:
                self._remember(self._remembered - {self._line(topic)})

    def _line(self, topic: str) -> str:
        return f"{self._broker} {topic}"

    def _remember(self, lines: set[str]) -> None:
        if lines == self._remembered:
            return
        self._remembered = lines
        try:
            # Replaced as a whole: half a file would forget devices.
            new = self._memory.with_name(f"{self._memory.name}.new")
            new.write_text("".join(f"{line}\n" for line in sorted(lines)))
            new.replace(self._memory)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError | UnicodeDecodeError) -> None:
        log.warning("%s fails (%s): a camera that leaves the config may stay in Home Assistant", self._memory, error)
