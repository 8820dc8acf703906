"""Kills the service, stops and freezes the broker and fills the disk at random. Then it accounts for every event."""

from __future__ import annotations

import json
import random
import resource
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.support.broker import Mosquitto, Received, Subscriber
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Running
from tests.support.light_model import QUICK
from tests.support.waiting import new_free_port, wait_until

NODE, CAMERAS = "soak", 3
SAVED_AFTER = 4.0
"""Seconds after which what waited in memory is on the disk again. The log warns that an earlier kill loses it."""
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@dataclass
class Account:
    """What became of the events. All counts but `rounds`, `messages` and `events` must be 0."""

    rounds: Mapping[str, int]
    messages: int
    events: int
    faults: dict[str, list[str]] = field(default_factory=dict)
    """Ids of events by fault: lost, without_end, two_ends, out_of_order, conflicting, unknown."""

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.rounds.items()))
        found = ", ".join(f"{len(ids)} {fault.replace('_', ' ')}" for fault, ids in self.faults.items())
        return (
            f"{sum(self.rounds.values())} rounds ({kinds}): {self.events} events in {self.messages} messages; {found}"
        )


class _Service:
    """The command, which is started again after each kill."""

    def __init__(self, folder: Path, model: Path) -> None:
        self._folder = folder
        self._model = model
        self._running = Running(folder, "--version")
        self.output: list[str] = []

    def start(self) -> None:
        self._running = Running(self._folder, "run", "--model", str(self._model))

    def kill(self) -> None:
        self._running.end()
        self.output += self._running.stderr

    def keep(self, seconds: float) -> None:
        """Let it run. Like systemd, start it again if it ends by itself, because the disk is full at its start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._running.is_over():
                self.output += self._running.stderr
                self.start()
            time.sleep(0.1)

    def fill_disk(self, seconds: float) -> None:
        """No file of the service can grow for some seconds."""
        if not self._running.is_over():
            resource.prlimit(self._running.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        time.sleep(seconds)
        if not self._running.is_over():
            resource.prlimit(self._running.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        self.keep(SAVED_AFTER)

    def end(self) -> int:
        self._running.signal(signal.SIGTERM)
        code = self._running.wait(30)
        self.output += self._running.stderr
        return code


def kill_rounds(folder: Path, model: Path, film: Path, broker: Mosquitto, rounds: int, seed: int = 1) -> Account:
    """Run so many rounds in `folder`. `film`: H.264 whose brightness makes `model` see activities start and end."""
    chance, kinds = random.Random(seed), Counter[str]()
    broker.start()
    subscriber = Subscriber(broker.port)
    service = _Service(folder, model)
    with ExitStack() as stack:
        stack.callback(broker.stop)
        stack.callback(subscriber.close)
        cameras = [stack.enter_context(StampedCamera(film, Habits())) for _ in range(CAMERAS)]
        _configure(folder, broker, [camera.url for camera in cameras])
        service.start()
        stack.callback(service.kill)
        wait_until(lambda: subscriber.of("/event"), "the first event", 60)
        trials = _trials(service, broker, chance)
        for _ in range(rounds):
            service.keep(chance.uniform(0.5, 3))
            kind = chance.choice(list(trials))
            kinds[kind] += 1
            trials[kind]()
        service.keep(6)
        code = service.end()
        assert code == 0, "\n".join(service.output[-40:])
        _wait_until_quiet(subscriber)
        return _account(kinds, subscriber.of("/event"), folder / "harstream-state" / "history.sqlite")


def _configure(folder: Path, broker: Mosquitto, sources: list[str]) -> None:
    config = {
        "node": NODE,
        "cameras": [{"name": f"camera{number}", "source": source} for number, source in enumerate(sources)],
        "mqtt": {"broker": broker.url, "observations": False, "discovery": None},
        "web": {"enabled": False, "port": new_free_port()},
        "events": "events.jsonl",
        "activities": QUICK,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def _trials(service: _Service, broker: Mosquitto, chance: random.Random) -> dict[str, Callable[[], None]]:
    def kill_service() -> None:
        service.kill()
        time.sleep(chance.uniform(0, 1))
        service.start()

    def restart_broker() -> None:
        broker.stop()
        time.sleep(chance.uniform(0.2, 4))
        broker.start()

    def both() -> None:
        broker.stop()
        time.sleep(chance.uniform(0, 3))
        service.kill()
        broker.start()
        service.start()

    def freeze_broker() -> None:
        broker.freeze()
        time.sleep(chance.uniform(0.5, 3))
        broker.thaw()

    return {
        "service killed": kill_service,
        "broker restarted": restart_broker,
        "both": both,
        "network cut": freeze_broker,
        "disk full": lambda: service.fill_disk(chance.uniform(0.5, 3)),
    }


def _wait_until_quiet(subscriber: Subscriber) -> None:
    seen = -1
    while seen != len(subscriber.received):
        seen = len(subscriber.received)
        time.sleep(1.5)


def _account(kinds: Mapping[str, int], received: list[Received], history: Path) -> Account:
    by_id = defaultdict(list)
    for message in received:
        by_id[message.json["id"]].append(message.json)
    with closing(sqlite3.connect(history)) as database:
        stored = {key for (key,) in database.execute("SELECT id FROM activities")}
    faults: dict[str, list[str]] = {
        "lost": sorted(stored - by_id.keys()),
        "unknown": sorted(by_id.keys() - stored),
        "without_end": [key for key, events in by_id.items() if not any(_is_end(event) for event in events)],
        "two_ends": [key for key, events in by_id.items() if len({e["seq"] for e in events if _is_end(e)}) > 1],
        "out_of_order": [key for key, events in by_id.items() if not _is_in_order(events)],
        "conflicting": [key for key, events in by_id.items() if not _repeats_are_equal(events)],
    }
    return Account(kinds, len(received), len(by_id), faults)


def _is_end(event: Mapping[str, object]) -> bool:
    return event["event_type"] == "end"


def _is_in_order(events: list[dict[str, int]]) -> bool:
    first_seen = list(dict.fromkeys(event["seq"] for event in events))
    return first_seen == sorted(first_seen) and first_seen[0] == 1


def _repeats_are_equal(events: list[dict[str, object]]) -> bool:
    """Return whether messages with the same `seq` differ only in what the delivery adds."""
    contents = defaultdict(set)
    for event in events:
        kept = {key: value for key, value in event.items() if key not in ("historical", "latency_ms")}
        contents[event["seq"]].add(json.dumps(kept, sort_keys=True))
    return all(len(variants) == 1 for variants in contents.values())
