"""What several tests share: a real broker, a real subscriber, and values made up for them."""

from __future__ import annotations

import getpass
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from harstream.models.contract import ModelContract
from harstream.wire.encoding import Context
from harstream.wire.messages import json_schemas
from harstream.wire.values import (
    Activity,
    CameraChange,
    CameraState,
    Confidence,
    EndReason,
    Event,
    EventType,
    Health,
    HealthState,
    Notice,
    Scores,
)

DEADLINE = 15.0
SYSTEM_PYTHON = "/usr/bin/python3"
RTSP_SERVER = Path(__file__).parent / "end_to_end" / "rtsp_server.py"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                  "--disable-sync", "--no-first-run"]  # fmt: skip


def pytest_configure() -> None:
    """What is started in the background or with nohup is deaf to these signals, and would pass that on."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _eventually(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for: {what}")
        time.sleep(0.01)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """`eventually(condition, what)` polls until the condition holds; fails after some seconds."""
    return _eventually


def _new_port() -> int:
    """Below those that the system gives to connections, and at random: neither a client nor a test beside this one
    takes it before it is used."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def free_port() -> int:
    return _new_port()


@pytest.fixture(scope="session")
def new_port() -> Callable[[], int]:
    """`new_port()` gives another free port each time."""
    return _new_port


class Mosquitto:
    """A broker that can be stopped and started again; it keeps its sessions, unless told to forget."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._login = "allow_anonymous true"
        self._host = "127.0.0.1"
        self._text = ""

    def configure(self, text: str) -> None:
        """Before `start`: a whole configuration in place of the usual one."""
        self._text = text

    def require_login(self, username: str, password: str) -> None:
        """Before `start`."""
        passwords = self._folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), username, password], check=True)
        self._login = f"allow_anonymous false\npassword_file {passwords}"

    def use_tls(self, certificate: Path, key: Path) -> None:
        """Before `start`."""
        self._login += f"\ncertfile {certificate}\nkeyfile {key}"
        self.url = f"mqtts://127.0.0.1:{self.port}"

    def use_ipv6(self) -> None:
        """Before `start`."""
        self._host = "::1"
        self.url = f"mqtt://[::1]:{self.port}"

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text(
            self._text
            or f"listener {self.port} {self._host}\n{self._login}\nuser {getpass.getuser()}\n"
            f"persistence true\npersistence_location {self._folder}/\n"
        )
        self._process = subprocess.Popen(
            [_program("mosquitto"), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _eventually(self._answers, "mosquitto to answer")

    def stop(self, *, forget: bool = False) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(DEADLINE)
            self._process = None
        if forget:
            (self._folder / "mosquitto.db").unlink(missing_ok=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET) as probe:
            return probe.connect_ex((self._host, self.port)) == 0


def _new_mosquitto(folder: Path) -> Mosquitto:
    _need(_program("mosquitto") != "", "mosquitto is not installed (apt install mosquitto mosquitto-clients)")
    folder.mkdir()
    return Mosquitto(folder, _new_port())


@pytest.fixture
def stopped_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = _new_mosquitto(tmp_path / "mosquitto")
    yield broker
    broker.stop()


@pytest.fixture
def mosquitto(stopped_mosquitto: Mosquitto) -> Mosquitto:
    stopped_mosquitto.start()
    return stopped_mosquitto


@pytest.fixture(scope="module")
def module_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for all tests of a file."""
    broker = _new_mosquitto(tmp_path_factory.mktemp("broker") / "mosquitto")
    broker.start()
    yield broker
    broker.stop()


@dataclass(frozen=True)
class Received:
    topic: str
    qos: int
    retained: bool
    content: bytes

    @property
    def payload(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Consumers take what they do not know, as additions keep the schema; a test does not."""
    closed = {name: _strict(value) if isinstance(value, dict) else value for name, value in schema.items()}
    return closed | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})


VALIDATORS = {
    schema_id: jsonschema.Draft202012Validator(_strict(schema)) for schema_id, schema in json_schemas().items()
}


def _validate(message: Any) -> None:
    """Raises ValidationError where a message is not what its schema says."""
    if isinstance(message, dict) and "schema" in message:
        VALIDATORS[message["schema"]].validate(message)


@pytest.fixture(scope="session")
def validate() -> Callable[[Any], None]:
    """`validate(message)` fails for one that is not what its own schema says, to the last key."""
    return lambda message: _validate(json.loads(json.dumps(message)))


class Subscriber:
    """mosquitto_sub on everything that harstream says, with a session that outlives an outage of the broker.

    What it hears must be what the schemas say.
    """

    def __init__(self, port: int) -> None:
        self.received: list[Received] = []
        host, probe = ["-h", "127.0.0.1", "-p", str(port)], ["-t", "ready"]
        subprocess.run(["mosquitto_pub", *host, *probe, "-r", "-m", "yes"], check=True)
        session = ["-i", f"subscriber-{id(self)}", "-c", "-q", "1"]
        self._process = subprocess.Popen(
            # The probe comes last: with it, what was retained of the others has arrived.
            ["mosquitto_sub", *host, "-t", "har/#", "-t", "homeassistant/#", *probe, *session, "-F", "%t\t%q\t%r\t%x"],
            stdout=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        _eventually(lambda: self.of("ready"), "the subscriber to be ready")

    def of(self, ending: str) -> list[Received]:
        return [received for received in list(self.received) if received.topic.endswith(ending)]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)
        self._thread.join()
        for received in self.received:
            if received.topic.startswith("har/") and received.payload.startswith("{"):
                _validate(received.json)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                topic, qos, retained, content = line.rstrip("\n").split("\t", 3)
                self.received.append(Received(topic, int(qos), retained == "1", bytes.fromhex(content)))


def _subscribers() -> Iterator[Callable[[int], Subscriber]]:
    """`subscribe(port)` gives a subscriber that has everything from now on, and what is retained."""
    subscribers: list[Subscriber] = []

    def start(port: int) -> Subscriber:
        subscribers.append(Subscriber(port))
        return subscribers[-1]

    yield start
    for subscriber in subscribers:
        subscriber.close()


subscribe = pytest.fixture(name="subscribe")(_subscribers)
module_subscribe = pytest.fixture(name="module_subscribe", scope="module")(_subscribers)


class RtspServer:
    """A network camera that shows a film, and can be pulled and plugged in again on the same port."""

    def __init__(self, film: Path, options: tuple[str, ...]) -> None:
        self.port = 0
        self._command = [SYSTEM_PYTHON, str(RTSP_SERVER), str(film), *options]
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str = "/camera", login: str = "") -> str:
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{path}"

    def plug_in(self) -> None:
        command = [*self._command, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def freeze(self) -> None:
        """It stays connected and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def pull(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def rtsp_server() -> Iterator[Callable[..., RtspServer]]:
    """`rtsp_server(film, *options)` serves a film; the options are those of tests/end_to_end/rtsp_server.py."""
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    reason = "gst-rtsp-server is not installed (apt install gir1.2-gst-rtsp-server-1.0 python3-gi ffmpeg)"
    _need(Path(SYSTEM_PYTHON).exists(), reason)
    _need(subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode == 0, reason)
    servers: list[RtspServer] = []

    def serve(film: Path, *options: str) -> RtspServer:
        servers.append(RtspServer(film, options))
        servers[-1].plug_in()
        return servers[-1]

    yield serve
    for server in servers:
        server.pull()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    _need(CHROMIUM.exists(), f"no Chromium at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def files_no_longer_than() -> Callable[[int], AbstractContextManager[None]]:
    """`with files_no_longer_than(size):` the kernel writes what fits and refuses the rest, as a full disk does."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


# 2023-11-14T22:13:20Z
NOON = 1_700_000_000.0


@pytest.fixture
def context() -> Context:
    contract = ModelContract(name="lrcn", version="1.0.0", labels=("Idle", "JumpingJack", "Lunges"),
                             background=("Idle",), frames=21, rate=10.0)  # fmt: skip
    return Context(node="nuc1", areas={"hall": "Hallway"}, contract=contract, model_sha256="ab12", version="0.1.0")


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """A start at second 1.12 that was decided at 2.22; an end at 9.52."""

    def make(kind: EventType = EventType.START, **changes: Any) -> Event:
        ending = {"ended_at": NOON + 9.52, "end_reason": EndReason.LOW_CONFIDENCE} if kind is EventType.END else {}
        values: dict[str, Any] = {
            "type": kind, "id": "01JD", "seq": 1, "camera": "hall", "activity": "JumpingJack", "label_id": 1,
            "confidence": Confidence(mean=0.81234567, peak=0.93, last=0.37),
            "topk": (("JumpingJack", 0.37), ("Lunges", 0.21)),
            "started_at": NOON + 1.12, "updated_at": NOON + 2.22, "detected_at": NOON + 2.22,
            "previous": ("unknown", 31.0),
        }  # fmt: skip
        return Event(**(values | ending | changes))

    return make


@pytest.fixture
def make_notice() -> Callable[..., Notice]:
    def make(
        *events: Event, camera: str = "hall", time: float = NOON, activity: str = "unknown", since: float = NOON,
        scores: tuple[float, ...] | None = None, state: CameraState | None = None, reason: str = "",
        warming: tuple[int, int] = (20, 20), lit: float = 1.0, unchanged: float = 0.0,
    ) -> Notice:  # fmt: skip
        return Notice(
            camera=camera,
            time=time,
            activity=Activity(activity, since=since, confidence=0.5),
            warming=warming,
            scores=None if scores is None else Scores(np.array(scores, np.float32), time=time, span=2.0),
            events=events,
            change=None if state is None else CameraChange(camera, time, state, reason),
            lit=lit,
            unchanged=unchanged,
        )

    return make


@pytest.fixture
def make_health() -> Callable[..., Health]:
    """A camera that is well."""

    def make(**changes: Any) -> Health:
        values: dict[str, Any] = {
            "camera": "hall", "time": NOON, "state": HealthState.LIVE, "since": NOON, "reason": "", "trouble": None,
            "warming": (20, 20), "fps": 24.96,
            "frame_age": 0.0, "dropped": 0, "dropping": 0.0, "behind": 0.0, "overloaded": False, "reconnects": 0,
        }  # fmt: skip
        return Health(**(values | changes))

    return make


def _program(name: str) -> str:
    """Debian keeps brokers where only root looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""


@pytest.fixture(scope="session")
def need() -> Callable[[bool, str], None]:
    """`need(is_there, reason)` skips a test; in CI, where everything is installed, it fails."""
    return _need


def _need(is_there: bool, reason: str) -> None:
    """Without it a test is skipped; in CI, where everything is installed, it fails."""
    if is_there:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
