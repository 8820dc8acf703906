"""Forecasts of 100 cameras: a step of the filter, and `harstream forecast run` at 800 observations a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.servers import broker
from benchmarks.tables import Table, milliseconds
from harstream.forecast.client.beliefs import TICK, Beliefs
from harstream.forecast.client.evidence import LASTING, Symbols
from harstream.forecast.evaluation.household import draw_household
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.horizons import look_ahead
from harstream.forecast.model.semi_markov import Floats
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.node import LabelsMessage
from harstream.wire.topics import Topics

CAMERAS, HORIZONS = 100, 10
RATE = 8
"""Observations of a camera in a second."""
SIZES = (12, 50)
"""Activities."""
STAYS = 300.0
"""Seconds for which a camera shows an activity."""
ERRORS = 0.15
"""The share of windows that show another activity."""
WARM_UP, MEASURED = 20.0, 60.0
"""Seconds."""
PATIENCE = 60.0
TOPICS = Topics("home")


def measure(*, short: bool) -> Table:
    rows = []
    for activities in SIZES:
        home = _Home(activities)
        steps = 3 if short else 200
        advance, correct, ahead = home.step_seconds(steps)
        whole = milliseconds(advance + correct + ahead)
        rows.append(
            [str(activities), milliseconds(advance), milliseconds(correct), milliseconds(ahead), whole,
             *_shares(activities, short=short)]
        )  # fmt: skip
    return Table(
        "forecast",
        "Forecasts",
        (
            "activities",
            "advance, ms",
            "correct, ms",
            f"{HORIZONS} horizons, ms",
            "together, ms",
            "the command",
            "with 800 observations/s",
        ),
        rows,
        f"{CAMERAS} cameras on one core, CPU time. A step comes once a second: all beliefs advance with their looks, "
        "each camera shows one symbol, and tables that were computed before give the horizons. The last columns are "
        f"the share of a core that `harstream forecast run` takes over {MEASURED:.0f} s, all threads: when nothing "
        f"comes, and with {RATE} observations of each camera a second through mosquitto. Each camera shows an activity "
        f"for {STAYS / 60:.0f} minutes, and another one in {ERRORS:.0%} of its windows. It has learned nothing yet.",
    )


class _Home:
    def __init__(self, activities: int) -> None:
        labels = (*(f"activity {number}" for number in range(activities)), "nothing")
        self._contract = ModelContract("bench", "1", labels, ("nothing",), unknown_threshold=0.6)
        self._random = np.random.default_rng(1)
        household = draw_household(self._random, activities)
        self._states, self._model = household.states, household.daily.plain
        self._symbols = Symbols(self._states, labels, 0.6)
        start = np.full((self._states.count, PHASES), 1 / (self._states.count * PHASES))
        self._beliefs = Beliefs(self._symbols.emission(None), LASTING, lambda time: start)
        self._names = [f"camera{number}" for number in range(CAMERAS)]
        for name in self._names:
            self._beliefs.add(name, 0.0)
        self._beliefs.advance(0.0, lambda time: self._model)

    def step_seconds(self, steps: int) -> tuple[float, float, float]:
        """Return the mean CPU seconds of advancing, correcting and looking ahead."""
        tables = [self._random.random((self._states.count, PHASES, self._states.unknown + 1)) for _ in range(HORIZONS)]
        spent = np.zeros(3)
        for step in range(1, steps + 1):
            seen = {name: int(self._random.integers(self._symbols.count)) for name in self._names}
            times = [process_time()]
            self._beliefs.advance(step * TICK, lambda time: self._model)
            times.append(process_time())
            self._beliefs.correct(seen)
            times.append(process_time())
            self._look(tables)
            times.append(process_time())
            spent += np.diff(times)
        advance, correct, ahead = (spent / steps).tolist()
        return advance, correct, ahead

    def _look(self, tables: list[Floats]) -> None:
        belief = np.stack([self._beliefs.of(name) for name in self._names])
        for table in tables:
            look_ahead(belief, table)


def _shares(activities: int, *, short: bool) -> tuple[str, str]:
    """Return the share of a core that the command takes, without and with observations."""
    warm_up, seconds = (1.0, 1.0) if short else (WARM_UP, MEASURED)
    with broker() as port:
        if port is None:
            return "–", "–"
        with _Node(activities, port) as node, _forecaster(port) as process:
            node.observe(warm_up)
            calm = _share(process.pid, lambda: time.sleep(seconds))
            node.observe(warm_up)
            return f"{calm:.1%}", f"{_share(process.pid, lambda: node.observe(seconds)):.1%}"


@contextmanager
def _forecaster(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command until the block ends. It has subscribed when the block begins. Raises TimeoutError."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [str(Path(sys.executable).with_name("harstream")), "forecast", "run"]
        options = ["--broker", f"mqtt://127.0.0.1:{port}", "--state", str(Path(folder) / "state"), "--zone", "UTC"]
        with log.open("wb") as said, subprocess.Popen([*command, *options], cwd=folder, stderr=said) as process:
            try:
                deadline = time.monotonic() + PATIENCE
                while b"connected to" not in log.read_bytes():
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"the forecaster does not connect within {PATIENCE:.0f} s")
                    time.sleep(0.1)
                yield process
            finally:
                process.terminate()


def _share(pid: int, work: Callable[[], object]) -> float:
    """Return the share of a core that a process takes during the work."""
    cpu, began = _cpu_seconds(pid), time.monotonic()
    work()
    return (_cpu_seconds(pid) - cpu) / (time.monotonic() - began)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Node:
    """Publishes the labels of a model, and the observations of all cameras."""

    def __init__(self, activities: int, port: int) -> None:
        labels = (*(f"activity {number}" for number in range(activities)), "nothing")
        self._context = Context("home", {}, ModelContract("bench", "1", labels, ("nothing",)), "ab", "1")
        self._random = np.random.default_rng(1)
        self._step = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.publish(TOPICS.labels, LabelsMessage.of(self._context).encode(), qos=1, retain=True)

    def __enter__(self) -> _Node:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def observe(self, seconds: float) -> None:
        """Publish the observations of all cameras, eight times a second."""
        due, end = time.monotonic(), time.monotonic() + seconds
        while due < end:
            for number in range(CAMERAS):
                message = self._observation(f"camera{number}", self._shown(number))
                self._client.publish(TOPICS.observation(message.camera), message.encode())
            self._step += 1
            due += 1 / RATE
            time.sleep(max(due - time.monotonic(), 0.0))

    def _shown(self, camera: int) -> int:
        """Return the number of the label that a camera shows."""
        K = len(self._context.contract.labels)
        right = (camera + int(time.time() / STAYS)) % K
        return int(self._random.integers(K)) if self._random.random() < ERRORS else right

    def _observation(self, camera: str, label: int) -> ObservationMessage:
        labels = self._context.contract.labels
        rest = round(0.1 / (len(labels) - 1), 4)
        scores = [rest] * len(labels)
        scores[label] = 1 - rest * (len(labels) - 1)
        return ObservationMessage(
            schema="harstream.observation/1", node="home", camera=camera, area=None, seq=self._step + 1,
            t=time.time(), dt=1 / RATE, symbol=labels[label], p=scores, labels_sha=self._context.labels_sha, valid=True,
            reason=None, dwell_s=1.0, stride_s=1 / RATE, span_s=2.4, model=self._context.model,
        )  # fmt: skip
