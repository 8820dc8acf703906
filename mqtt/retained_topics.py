"""Stores the topics on which this node retains messages, and clears topics that are no longer used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from functools import partial
from pathlib import Path

from harstream.mqtt.publisher import Publisher
from harstream.resilience.set_aside import set_aside
from harstream.resilience.whole_file import write_whole
from harstream.wire.topics import is_publishable

log = logging.getLogger(__name__)


class RetainedTopics:
    """Lists retained topics in a file, because a broker keeps a retained message until another one replaces it.

    Every method is callable from any thread.
    """

    def __init__(self, publisher: Publisher, broker: str, file: Path, *, if_lost: str) -> None:
        """`file` has one line per retained topic: the broker's URL and the topic.

        `if_lost`: a text for the log on what may happen without the file.
        """
        self._publisher = publisher
        self._broker = broker
        self._file = file
        self._if_lost = if_lost
        # The lock is needed because cameras change on one thread and acknowledgements arrive on another.
        self._changing = threading.Lock()
        self._kept: frozenset[str] = frozenset()
        self._stored: set[str] = set()

    def start(self) -> None:
        """Read the file, or set it aside. Call it after the state folder is locked for this process."""
        try:
            text = self._file.read_bytes().decode() if self._file.exists() else ""
            lines = text.splitlines()
            if not all(is_publishable(line.partition(" ")[2]) for line in lines):
                raise ValueError("a line has no broker and topic")
            self._stored = set(lines)
        except ValueError as error:
            self._set_aside(error)
        except OSError as error:
            self._warn(error)

    def add(self, topic: str) -> None:
        """Keep one more topic. Call it before publishing on it."""
        with self._changing:
            self._kept |= {topic}
            self._store(self._stored | {self._line(topic)})

    def keep(self, topics: Collection[str]) -> None:
        """Keep these topics and clear all others. Call it before publishing on them."""
        with self._changing:
            self._kept = frozenset(topics)
            lines = (line.partition(" ") for line in self._stored)
            here = {topic for broker, _, topic in lines if broker == self._broker}
            # Write the file before the first message is published, so that a killed run leaves no unlisted topic.
            self._store(self._stored | {self._line(topic) for topic in topics})
        for topic in sorted(here - self._kept):
            self._publisher.clear(topic, partial(self._forget, topic))

    def _forget(self, topic: str) -> None:
        with self._changing:
            if topic not in self._kept:
                self._store(self._stored - {self._line(topic)})

    def _line(self, topic: str) -> str:
        return f"{self._broker} {topic}"

    def _store(self, lines: set[str]) -> None:
        if lines == self._stored:
            return
        self._stored = lines
        try:
            write_whole(self._file, "".join(f"{line}\n" for line in sorted(lines)))
        except OSError as error:
            self._warn(error)

    def _set_aside(self, error: ValueError) -> None:
        try:
            aside = set_aside(self._file)
        except OSError as failure:
            self._warn(failure)
        else:
            log.warning("%s cannot be read (%s): it is moved to %s; %s", self._file, error, aside, self._if_lost)

    def _warn(self, error: OSError) -> None:
        log.warning("%s fails (%s): %s", self._file, error, self._if_lost)
