"""Gives cameras faults while others work, and measures when the service notices and when it recognizes again.

In each round every faulty camera has one fault. Between the rounds all cameras work, and the process is measured.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import yaml

from tests.soak.camera_watch import LIVE, CameraWatch
from tests.soak.faulty_cameras import (
    FAULTS,
    OFFLINE,
    WRONG_PASSWORD,
    Expected,
    FaultyCamera,
    Films,
    PictureCamera,
    ServerCamera,
)
from tests.soak.growth import Growth, Sample, dropped_frames, read_sample
from tests.support.broker import Mosquitto
from tests.support.command import Running
from tests.support.waiting import new_free_port, wait_until

FAULTY = 3
"""Faulty cameras of each of the two kinds. One more of each kind works all the time."""
SLACK = 4.0
"""The bounds are wider by this factor while the service reports that the machine cannot keep up."""
SETTLED = 5.0
"""Seconds after a fault in which a camera must keep giving windows."""
CLOSED = 20.0
"""Seconds within which the threads and files of a connection that has ended must be gone."""
LONGEST_PAUSE = 5.0
"""Seconds that a working camera may be without a complete window. On an idle machine it has eight a second."""


@dataclass(frozen=True)
class Fault:
    kind: str
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What became of one fault."""

    fault: Fault
    camera: str
    noticed: float | None
    """Seconds from its start until the first sign. None if none is expected or none came."""
    recovered: float | None
    """Seconds from its repair until the camera was live with a complete window; None if that took too long.

    If the camera must stay live: the longest time without a complete window.
    """
    mistake: str = ""
    """What was not as expected."""


@dataclass(frozen=True)
class Account:
    trials: Sequence[Trial]
    growth: Growth
    events: int
    without_end: Sequence[str]
    pauses: Mapping[str, float]
    """The longest time without a complete window of each camera that worked all the time, in seconds."""
    disturbed: Mapping[str, set[str]]
    """What these cameras reported except that they are live."""
    was_overloaded: bool
    """Whether the machine could not keep up. Then cameras are paused in turn, which disturbs those that work."""

    @property
    def mistakes(self) -> list[str]:
        """Everything that must not be. Growth is not among it."""
        allowed = {"warming", "stalled"} if self.was_overloaded else set[str]()
        longest = LONGEST_PAUSE * (SLACK**2 if self.was_overloaded else 1.0)
        return [
            *(f"{one.camera}, {one.fault.kind} for {one.fault.seconds:.1f} s: {one.mistake}" for one in self.trials
              if one.mistake),
            *(f"activity {key} has no end" for key in self.without_end),
            *(f"{name} had no window for {pause:.1f} s" for name, pause in self.pauses.items()
              if pause > longest),
            *(f"{name}, which worked, was {', '.join(signs)}" for name, signs in self.disturbed.items()
              if signs - allowed),
        ]  # fmt: skip

    def __str__(self) -> str:
        rows = ["| fault | times | noticed p50 / max | recovered p50 / max |", "|---|---|---|---|"]
        for kind in FAULTS:
            found = [one for one in self.trials if one.fault.kind == kind]
            columns = (_seconds([one.noticed for one in found]), _seconds([one.recovered for one in found]))
            rows.append(f"| {kind} | {len(found)} | {columns[0]} | {columns[1]} |")
        pause = max(self.pauses.values())
        first, last = self.growth.samples[0], self.growth.samples[-1]
        rows.append(
            f"{len(self.trials)} faults, {self.events} activities, {len(self.without_end)} without end; "
            f"longest pause of the working cameras {pause:.1f} s; {first.threads} -> {last.threads} threads, "
            f"{first.files} -> {last.files} files, {first.memory / 1e6:.0f} -> {last.memory / 1e6:.0f} MB "
            f"({100 * self.growth.memory:+.1f} %), {self.growth.dropped} frames dropped"
            f"{', machine overloaded' if self.was_overloaded else ''}; {len(self.mistakes)} mistakes"
        )
        return "\n".join(rows)


def _seconds(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.1f} / {max(known):.1f} s" if known else "–"


class _Round:
    """Makes the faults of one service."""

    def __init__(self, watch: CameraWatch, running: Running, cameras: Mapping[str, FaultyCamera]) -> None:
        self._watch = watch
        self._running = running
        self._cameras = cameras

    def run(self, faults: Mapping[str, Fault]) -> list[Trial]:
        """Give each of these cameras its fault, all at the same time, and wait until all have recovered."""
        with ThreadPoolExecutor(len(faults)) as pool:
            return list(pool.map(self._try, faults, faults.values()))

    def _try(self, camera: str, fault: Fault) -> Trial:
        return (self._interrupt if FAULTS[fault.kind].signs else self._disturb)(camera, fault)

    def _interrupt(self, camera: str, fault: Fault) -> Trial:
        expected, began, mistakes = FAULTS[fault.kind], time.monotonic(), []
        self._cameras[camera].begin(fault.kind)
        changed = time.monotonic()
        sign = self._wait(lambda: self._watch.sign_at(camera, expected.signs, began), began, expected.noticed)
        if sign is None:
            mistakes.append(f"not noticed within {expected.noticed:g} s")
        recoveries = [self._recovery(camera, changed, expected)] if expected.works else []
        time.sleep(max(0.0, began + fault.seconds - time.monotonic()))
        self._cameras[camera].repair(fault.kind)
        repaired = time.monotonic()
        if fault.kind == WRONG_PASSWORD:
            self._running.signal(signal.SIGHUP)
        recoveries.append(self._recovery(camera, repaired, expected))
        took = None if None in recoveries else max(one for one in recoveries if one is not None)
        if took is None:
            mistakes.append(f"not recovered within {expected.recovered:g} s")
        return Trial(fault, camera, sign and sign - began, took, ", ".join(mistakes))

    def _recovery(self, camera: str, since: float, expected: Expected) -> float | None:
        whole = self._wait(lambda: self._watch.whole_at(camera, since), since, expected.recovered)
        return None if whole is None else whole - since

    def _disturb(self, camera: str, fault: Fault) -> Trial:
        began, most = time.monotonic(), FAULTS[fault.kind].recovered
        self._cameras[camera].begin(fault.kind)
        time.sleep(fault.seconds)
        self._cameras[camera].repair(fault.kind)
        time.sleep(SETTLED)
        pause = self._watch.longest_pause(camera, began)
        away = self._watch.states(camera, began) & OFFLINE
        mistakes = [f"was {', '.join(sorted(away))}"] if away else []
        if pause > most * self._slack(began):
            mistakes.append(f"had no window for {pause:.1f} s")
        return Trial(fault, camera, None, pause, ", ".join(mistakes))

    def _wait(self, find: Callable[[], float | None], since: float, seconds: float) -> float | None:
        """Return what is found, or None after the time."""
        while (found := find()) is None and time.monotonic() < since + seconds * self._slack(since):
            time.sleep(0.05)
        return found

    def _slack(self, since: float) -> float:
        return SLACK if self._watch.is_overloaded(since) else 1.0


def camera_faults(
    folder: Path, broker: Mosquitto, faults: int, seed: int = 1, *, rest: tuple[float, float] = (10, 14)
) -> Account:
    """Make so many faults with the default model. `rest`: shortest and longest time between two rounds, in seconds."""
    chance, films = random.Random(seed), Films.write(folder)
    broker.start()
    with ExitStack() as stack:
        stack.callback(broker.stop)
        cameras = _start_cameras(films, stack)
        working = [name for name in cameras if name.endswith("0")]
        _configure(folder, broker, cameras)
        watch = CameraWatch(broker.port)
        stack.callback(watch.close)
        running = Running(folder, "run")
        stack.callback(running.end)
        wait_until(lambda: all(watch.whole_at(name, 0) for name in cameras), "all cameras", 90)
        rounds, began = _Round(watch, running, cameras), time.monotonic()
        trials, samples = list[Trial](), [read_sample(running.pid)]
        for plan in _plan(cameras, working, faults, chance):
            trials += rounds.run(plan)
            time.sleep(chance.uniform(*rest))
            samples.append(read_sample(running.pid))
        samples.append(_settled_sample(running.pid, samples[0]))
        pauses = {name: watch.longest_pause(name, began) for name in working}
        disturbed = {name: watch.states(name, began) - {LIVE} for name in working}
        was_overloaded = watch.is_overloaded(began)
        _stop(running, watch)
        growth = Growth(tuple(samples), dropped_frames(running.stderr))
        return Account(trials, growth, *watch.events(), pauses, disturbed, was_overloaded)


def _start_cameras(films: Films, stack: ExitStack) -> dict[str, FaultyCamera]:
    """Return the cameras by name. The two whose names end with 0 get no faults."""
    cameras: dict[str, FaultyCamera] = {}
    for number in range(FAULTY + 1):
        cameras[f"server{number}"] = ServerCamera(films)
        stack.callback(cameras[f"server{number}"].close)
        cameras[f"picture{number}"] = PictureCamera(films)
        stack.callback(cameras[f"picture{number}"].close)
    return cameras


def _configure(folder: Path, broker: Mosquitto, cameras: Mapping[str, FaultyCamera]) -> None:
    config = {
        "cameras": [{"name": name, "source": camera.url} for name, camera in cameras.items()],
        "mqtt": {"broker": broker.url, "discovery": None},
        "web": {"enabled": False, "port": new_free_port()},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def _plan(
    cameras: Mapping[str, FaultyCamera], working: Sequence[str], faults: int, chance: random.Random
) -> Iterator[dict[str, Fault]]:
    """Yield the faults of each round by camera. Every kind comes once before any comes again."""
    kinds = list(islice(_kinds(chance), faults))
    while kinds:
        plan = {}
        for name, camera in cameras.items():
            kind = next((kind for kind in kinds if kind in camera.faults), None)
            if name not in working and kind is not None:
                kinds.remove(kind)
                plan[name] = Fault(kind, chance.uniform(*FAULTS[kind].lasts))
        yield plan


def _kinds(chance: random.Random) -> Iterator[str]:
    while True:
        yield from chance.sample(list(FAULTS), len(FAULTS))


def _settled_sample(pid: int, first: Sample) -> Sample:
    """Return the first sample with no more threads and files than `first`, or the last one within CLOSED seconds.

    A connection may have ended just before, and cameras that a busy machine pauses connect anew at any time.
    """
    until = time.monotonic() + CLOSED
    sample = read_sample(pid)
    while (sample.threads > first.threads or sample.files > first.files) and time.monotonic() < until:
        time.sleep(0.5)
        sample = read_sample(pid)
    return sample


def _stop(running: Running, watch: CameraWatch) -> None:
    """End the service, and wait for its last events."""
    assert not running.is_over(), running.output
    running.signal(signal.SIGTERM)
    assert running.wait(30) == 0, running.output
    until = time.monotonic() + 5
    while watch.events()[1] and time.monotonic() < until:
        time.sleep(0.05)
