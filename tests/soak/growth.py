"""Watches the memory, threads and open files of a running service. After a warm-up nothing may grow."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.broker import Mosquitto
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Running
from tests.support.waiting import new_free_port, wait_until

PERIOD = 2.0
"""Seconds between two samples."""


@dataclass(frozen=True)
class Sample:
    """What the process holds."""

    memory: int
    """Resident memory in bytes."""
    threads: int
    files: int


@dataclass(frozen=True)
class Growth:
    """The samples after the warm-up, oldest first."""

    samples: tuple[Sample, ...]
    dropped: int
    """Frames that were dropped, by the log's account at the end."""

    @property
    def memory(self) -> float:
        """Growth of the median memory of the last third over that of the first third; 0.05 is 5 %."""
        third = max(1, len(self.samples) // 3)
        first, last = (_median([s.memory for s in part]) for part in (self.samples[:third], self.samples[-third:]))
        return last / first - 1

    @property
    def threads(self) -> int:
        return max(s.threads for s in self.samples[len(self.samples) // 2 :]) - max(
            s.threads for s in self.samples[: len(self.samples) // 2]
        )

    @property
    def files(self) -> int:
        return max(s.files for s in self.samples[len(self.samples) // 2 :]) - max(
            s.files for s in self.samples[: len(self.samples) // 2]
        )

    def is_small(self, *, memory: float) -> bool:
        """Return whether no thread or file was added, and less than this share of the memory."""
        return self.memory < memory and self.threads <= 0 and self.files <= 0

    def __str__(self) -> str:
        last = self.samples[-1]
        return (
            f"{len(self.samples) * PERIOD / 60:.0f} minutes after the warm-up: {last.memory / 1e6:.0f} MB "
            f"({100 * self.memory:+.1f} %), {last.threads} threads ({self.threads:+d}), {last.files} open files "
            f"({self.files:+d}), {self.dropped} frames dropped"
        )


def watch_growth(
    folder: Path, film: Path, broker: Mosquitto, *, cameras: int, viewers: int, warm_up: float, seconds: float
) -> Growth:
    """Run the default model on so many cameras, with open pages. `warm_up` and `seconds`: how long to run."""
    broker.start()
    port = new_free_port()
    with ExitStack() as stack:
        stack.callback(broker.stop)
        sources = [stack.enter_context(StampedCamera(film, Habits())).url for _ in range(cameras)]
        config = {
            "cameras": [{"name": f"camera{number}", "source": source} for number, source in enumerate(sources)],
            "mqtt": {"broker": broker.url},
            "web": {"port": port},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        running = Running(folder, "run")
        stack.callback(running.end)
        wait_until(lambda: sum("is live" in line for line in running.stderr) == cameras, "all cameras", 60)
        over = threading.Event()
        pages = [threading.Thread(target=_look, args=(port, over)) for _ in range(viewers)]
        stack.callback(lambda: [page.join() for page in pages])
        stack.callback(over.set)
        for page in pages:
            page.start()
        time.sleep(warm_up)
        samples = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            samples.append(read_sample(running.pid))
            time.sleep(PERIOD)
        over.set()
        running.signal(signal.SIGTERM)
        assert running.wait(30) == 0
    return Growth(tuple(samples), dropped_frames(running.stderr))


def _look(port: int, over: threading.Event) -> None:
    """Receive everything that an open page receives."""
    with connect(f"ws://127.0.0.1:{port}/live", origin=f"http://127.0.0.1:{port}") as page:  # type: ignore[arg-type]
        page.send("watch")
        while not over.is_set():
            try:
                page.recv(timeout=1)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return


def read_sample(pid: int) -> Sample:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )  # fmt: skip
    return Sample(
        memory=int(status["VmRSS"].split()[0]) * 1024,
        threads=int(status["Threads"]),
        files=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    )


def dropped_frames(log: Sequence[str]) -> int:
    """Return the number of frames that were dropped, by the log's account at the end of a run."""
    drops = [line for line in log if "frames were dropped because" in line]
    return sum(int(line.split(": ")[1].split()[0]) for line in drops)


def _median(values: list[int]) -> float:
    return float(sorted(values)[len(values) // 2])
