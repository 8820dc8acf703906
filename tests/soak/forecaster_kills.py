"""Kills the forecaster and the broker at random while activities end. Then the diary must contain each of them."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from harstream.forecast.client.diary import FILE
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.wire.topics import Topics
from harstream.wire.values import EventType
from tests.forecast.client.household import LABELS, emission_message, event, labels_message
from tests.support.broker import Mosquitto
from tests.support.command import Running
from tests.support.waiting import wait_until

NODE, CAMERA = "home", "hall"
SHORTEST, LONGEST = 0.1, 0.4
"""Seconds of an activity."""


@dataclass(frozen=True)
class Account:
    """What became of the activities that ended."""

    rounds: Mapping[str, int]
    ended: int
    missing: tuple[str, ...]
    """Ids of ended activities that the diary does not contain, or with other times."""
    unknown: tuple[str, ...]
    """Ids in the diary of activities that never ended."""

    @property
    def is_good(self) -> bool:
        return not self.missing and not self.unknown

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.rounds.items()))
        return (
            f"{sum(self.rounds.values())} rounds ({kinds}): {self.ended} activities ended; "
            f"{len(self.missing)} missing, {len(self.unknown)} unknown"
        )


class _Node:
    """Publishes activities that start and end, one after the other, through an outbox as a service does."""

    def __init__(self, folder: Path, port: int, chance: random.Random) -> None:
        topics = Topics(NODE)
        outbox = Outbox(folder / "outbox.sqlite")
        self._publisher = Publisher(BrokerAddress("127.0.0.1", port), outbox, will=Will(topics.status, "offline"))
        self._topic, self._status = topics.event(CAMERA), topics.status
        self._publisher.retain(topics.labels, labels_message().encode())
        self._publisher.retain(topics.emission, emission_message().encode())
        self._chance = chance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self.ended: dict[str, tuple[float, float]] = {}
        """Start and end of each activity that ended, by id."""

    def start(self) -> None:
        self._publisher.start(must_connect=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish what waits, and end."""
        self._over.set()
        self._thread.join()
        wait_until(lambda: self._publisher.waiting == 0, "all events to be acknowledged", 40)
        self._publisher.close((self._status, b"offline"))

    def _live(self) -> None:
        while not self._over.is_set():
            number = len(self.ended)
            name, start, id_ = LABELS[number % 4], round(time.time(), 3), f"activity-{number}"
            self._publish(EventType.START, name, start, start, id_)
            self._over.wait(self._chance.uniform(SHORTEST, LONGEST))
            end = round(time.time(), 3)
            self._publish(EventType.END, name, start, end, id_)
            self.ended[id_] = start, end

    def _publish(self, kind: EventType, name: str, start: float, end: float, id_: str) -> None:
        message = event(kind, name, start, end).model_copy(update={"id": id_})
        self._publisher.publish_event(self._topic, message)


class _Forecaster:
    """The command, which is started again after each kill."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._folder, self._broker = folder, broker
        self._running: Running | None = None
        self.output: list[str] = []

    def start(self) -> None:
        options = ("--broker", self._broker.url, "--node", NODE, "--state", "diary", "--zone", "UTC")
        self._running = Running(self._folder, "forecast", "run", "--wait", *options)

    def kill(self) -> None:
        if self._running is not None:
            self._running.end()
            self.output += self._running.stderr

    def wait_until_connected(self) -> None:
        running = self._running
        assert running is not None
        wait_until(lambda: any("connected to" in line for line in running.stderr), "the forecaster to connect", 40)


def forecaster_kills(folder: Path, broker: Mosquitto, rounds: int, seed: int = 1) -> Account:
    """Run so many rounds in `folder`. The broker must not have started."""
    chance, kinds = random.Random(seed), Counter[str]()
    broker.save_every_second()
    broker.start()
    forecaster, node = _Forecaster(folder, broker), _Node(folder, broker.port, random.Random(seed))
    with ExitStack() as stack:
        stack.callback(broker.stop)
        forecaster.start()
        stack.callback(forecaster.kill)
        forecaster.wait_until_connected()
        time.sleep(2)  # the broker saves that there is such a client
        node.start()
        stack.callback(node.stop)
        trials = _trials(forecaster, broker, folder / "diary" / FILE, node.ended, chance)
        for _ in range(rounds):
            time.sleep(chance.uniform(0.2, 3))
            kind = chance.choice(list(trials))
            kinds[kind] += 1
            trials[kind]()
        stack.pop_all()  # in this order: nothing may be on its way
        try:
            node.stop()
            _wait_until_learned(folder / "diary" / FILE, node.ended)
        finally:
            forecaster.kill()
            broker.stop()
    assert not any("Traceback" in line for line in forecaster.output), "\n".join(forecaster.output[-60:])
    return _account(kinds, node.ended, _learned(folder / "diary" / FILE))


def _trials(
    forecaster: _Forecaster, broker: Mosquitto, diary: Path, ended: Mapping[str, object], chance: random.Random
) -> dict[str, Callable[[], None]]:
    def catch_up() -> None:
        """Wait until nothing is queued: a broker that is killed loses what it has not saved yet."""
        past = set(ended)
        wait_until(lambda: past <= _learned(diary).keys(), "the forecaster to catch up", 40)

    def kill_forecaster() -> None:
        forecaster.kill()
        time.sleep(chance.uniform(0, 2))
        forecaster.start()

    def kill_broker() -> None:
        catch_up()
        broker.kill()
        time.sleep(chance.uniform(0, 2))
        broker.start()

    def kill_both() -> None:
        catch_up()
        broker.kill()
        time.sleep(chance.uniform(0, 1))
        forecaster.kill()
        broker.start()
        forecaster.start()

    return {"forecaster killed": kill_forecaster, "broker killed": kill_broker, "both": kill_both}


def _wait_until_learned(diary: Path, ended: Mapping[str, object]) -> None:
    """Wait until the diary has as many activities, or grows no more."""
    until, seen = time.monotonic() + 10, -1
    while (found := len(_learned(diary))) < len(ended) and time.monotonic() < until:
        if found != seen:
            until, seen = time.monotonic() + 10, found
        time.sleep(0.2)


def _learned(diary: Path) -> dict[str, tuple[float, float]]:
    with closing(sqlite3.connect(f"file:{diary}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT id, started_at, ended_at FROM episodes").fetchall()
    return {id_: (start, end) for id_, start, end in rows}


def _account(
    kinds: Mapping[str, int], ended: Mapping[str, tuple[float, float]], learned: Mapping[str, tuple[float, float]]
) -> Account:
    missing = tuple(id_ for id_, times in ended.items() if learned.get(id_) != times)
    return Account(kinds, len(ended), missing, tuple(sorted(learned.keys() - ended.keys())))
