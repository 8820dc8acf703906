"""`harstream config init` runs in a pseudo-terminal of Linux and probes a real broker and a real camera."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harstream.stream.config.file import load_config
from harstream.stream.config.model import Config
from harstream.stream.web.access.passwords import is_password
from tests.support.cameras.onvif_camera import OnvifCamera, OnvifNetwork, StreamProfile, says
from tests.support.certificates import Authority

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
HARSTREAM = Path(sys.executable).with_name("harstream")
PATIENCE = 30.0
PLAIN = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "400", "PYTHONWARNINGS": "ignore"}


class Terminal:
    """A terminal that reads and types. `output` holds everything on the screen, the typed text included."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.output = ""
        self._read = 0
        self._screen, inside = pty.openpty()
        self._process = subprocess.Popen(
            [str(HARSTREAM), *arguments], cwd=folder, stdin=inside, stdout=inside, stderr=inside,
            env=os.environ | PLAIN, start_new_session=True,
        )  # fmt: skip
        os.close(inside)

    def answer(self, question: str, text: str) -> None:
        """Waits for the question and types a line."""
        self.wait_for(question + r"[^\n]*: $")
        os.write(self._screen, f"{text}\n".encode())

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.output[self._read :])):
            if not self._look(deadline - time.monotonic()):
                pytest.fail(f"waited for {pattern!r}, saw:\n{self.output}")
        self._read += found.end()

    def interrupt(self) -> None:
        """Types Ctrl-C, and again if nothing happens: readline may notice the first one only with the next
        key only."""
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(3)

    def end_input(self) -> None:
        """Types Ctrl-D at the begin of a line."""
        os.write(self._screen, b"\x04")

    def exit_code(self) -> int:
        while self._look(PATIENCE):
            pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._screen)

    def _look(self, seconds: float) -> bool:
        """Returns False if nothing arrives in time or the other side is closed."""
        ready, _, _ = select.select([self._screen], [], [], max(seconds, 0))
        with contextlib.suppress(OSError):  # Linux reports so that the other side is closed
            came = os.read(self._screen, 4096) if ready else b""
            self.output += came.decode().replace("\r\n", "\n")
            return bool(came)
        return False


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """`terminal("config", "init")` runs the command in the test's folder."""
    opened: list[Terminal] = []

    def run(*arguments: str) -> Terminal:
        opened.append(Terminal(tmp_path, *arguments))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


def checked(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `config check` on the written file."""
    return subprocess.run(
        [HARSTREAM, "config", "check"],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=40,
    )


def test_pressing_enter_at_every_question_writes_a_valid_file(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    typing = terminal("config", "init")
    first = ("Name of this machine", "Camera", "Its name", "The room", "Another camera")
    for question in (*first, "MQTT broker", "A live view", "It listens on", "at port"):
        typing.answer(question, "")
    assert typing.exit_code() == 0, typing.output
    assert "next: harstream run\n" in typing.output
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.schema.json", "config.yaml"]
    written = load_config(tmp_path / "config.yaml")
    assert written.model_copy(update={"cameras": ()}) == Config().model_copy(update={"cameras": ()})
    assert [camera.name for camera in written.cameras] == ["camera"]
    assert (tmp_path / "config.yaml").read_text().startswith("# yaml-language-server: $schema=config.schema.json\n")
    assert checked(tmp_path).returncode == 0


def test_a_page_for_other_machines_gets_a_user_with_a_hashed_password(
    terminal: Callable[..., Terminal], tmp_path: Path, secret: str
) -> None:
    typing = terminal("config", "init")
    for question in ("Name of this machine", "Camera", "Its name", "The room", "Another camera", "MQTT broker"):
        typing.answer(question, "")
    typing.answer("A live view", "")
    typing.answer("It listens on", "0.0.0.0")
    typing.answer("at port", "")
    typing.answer("User who may log in", "anna")
    for first, second in (("short", None), (secret * 2, secret), (secret * 2, secret * 2)):
        typing.answer("Password", first)
        if second:
            typing.answer("The same password again", second)
    assert typing.exit_code() == 0, typing.output
    assert "expected a password of 8" in typing.output
    assert "the passwords differ" in typing.output
    text = (tmp_path / "config.yaml").read_text()
    assert secret not in typing.output + text
    (user,) = load_config(tmp_path / "config.yaml").web.users
    assert (user.name, user.role) == ("anna", "operator")
    assert is_password(secret * 2, user.password_hash)
    assert checked(tmp_path).returncode == 0


def test_a_password_is_hashed_without_a_trace_on_the_terminal(
    terminal: Callable[..., Terminal], tmp_path: Path, secret: str
) -> None:
    typing = terminal("config", "hash-password")
    typing.answer("Password", secret * 2)
    typing.answer("The same password again", secret * 2)
    assert typing.exit_code() == 0, typing.output
    assert secret not in typing.output
    assert is_password(secret * 2, typing.output.split()[-1])


@pytest.mark.parametrize(("typed", "code"), [("geheim-geheim\n", 0), ("geheim-geheim", 0), ("short\n", 3), ("", 3)])
def test_a_password_can_come_through_a_pipe(tmp_path: Path, typed: str, code: int) -> None:
    command = [str(HARSTREAM), "config", "hash-password"]
    result = subprocess.run(command, input=typed, cwd=tmp_path, capture_output=True, text=True, timeout=40)
    assert result.returncode == code, result.stderr
    assert is_password("geheim-geheim", result.stdout.strip()) is (code == 0)
    assert "geheim" not in result.stdout + result.stderr


@pytest.mark.rtsp
@pytest.mark.mosquitto
def test_cameras_and_broker_are_probed_and_passwords_kept_out_of_the_file(
    terminal: Callable[..., Terminal], tmp_path: Path, rtsp_server: Callable[..., Any], film: Callable[..., Path],
    stopped_mosquitto: Any, secret: str,
) -> None:  # fmt: skip
    camera = rtsp_server(film("grey.mp4", (2, 200)), "--loop", "--login", f"anna:{secret}")
    stopped_mosquitto.require_login("anna", secret)
    stopped_mosquitto.start()
    url, broker = camera.url(login=f"anna:{secret}"), f"mqtt://anna:{secret}@127.0.0.1:{stopped_mosquitto.port}"
    typing = terminal("config", "init")
    typing.answer("Name of this machine", "my house")
    typing.wait_for("node: expected 1 to 64 of the letters")
    typing.answer("Name of this machine", "nuc1")
    typing.answer("Camera", camera.url(login="anna:wrong"))
    typing.wait_for("refuses the user name or password")
    typing.answer("Keep it anyway", "n")
    typing.answer("Camera", url)
    typing.wait_for("h264 160x120, 25 frames/s stated, [0-9.]+ measured")
    typing.answer("Its name", "hall")
    typing.answer("The room", "Hallway: ground floor")
    typing.answer("The address", "environment")
    typing.answer("Another camera", "y")
    typing.answer("Camera", "grey.mp4")
    typing.answer("Its name", "hall")
    typing.wait_for("each camera needs a unique name")
    typing.answer("Its name", "film")
    typing.answer("The room", "")
    typing.answer("Another camera", "n")
    typing.answer("MQTT broker", "mqtt://anna@127.0.0.1:1")
    typing.wait_for("connection refused")
    typing.answer("Keep it anyway", "")
    typing.answer("MQTT broker", broker)
    typing.wait_for(f"mqtt://127.0.0.1:{stopped_mosquitto.port} answers, MQTT 5")
    typing.answer("The address", "file")
    typing.answer("A live view", "n")
    assert typing.exit_code() == 0, typing.output
    assert "set the environment variable ADDRESS_CAMERA_HALL to the address rtsp://***@" in typing.output

    text = (tmp_path / "config.yaml").read_text()
    assert secret not in text
    assert (tmp_path / "secrets/broker").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets/broker").read_text() == f"{broker}\n"
    without = checked(tmp_path)
    assert (without.returncode, len(without.stderr.splitlines())) == (2, 1)
    assert "cameras.0.source: the environment variable ADDRESS_CAMERA_HALL is not set" in without.stderr
    right = checked(tmp_path, ADDRESS_CAMERA_HALL=url)
    assert right.stdout == (
        "config.yaml is valid: 2 cameras, model flow_tcn with 12 activities, "
        f"broker mqtt://127.0.0.1:{stopped_mosquitto.port}, no live view\n"
    )
    os.environ["ADDRESS_CAMERA_HALL"] = url
    try:
        written = load_config(tmp_path / "config.yaml")
    finally:
        del os.environ["ADDRESS_CAMERA_HALL"]
    assert written.node == "nuc1"
    assert [(camera.name, camera.source, camera.area) for camera in written.cameras] == [
        ("hall", url, "Hallway: ground floor"),
        ("film", "grey.mp4", None),
    ]
    assert written.mqtt.broker == broker


@pytest.mark.rtsp
def test_the_smallest_useful_stream_of_an_onvif_camera_that_is_found_is_written(
    terminal: Callable[..., Terminal], tmp_path: Path, rtsp_server: Callable[..., Any], film: Callable[..., Path],
    onvif_network: OnvifNetwork, monkeypatch: pytest.MonkeyPatch, secret: str,
) -> None:  # fmt: skip
    stream = rtsp_server(film("grey.mp4", (2, 200), size=(320, 240)), "--loop", "--login", f"anna:{secret}")
    profiles = [StreamProfile("main", 2688, 1520), StreamProfile("sub", 320, 240)]
    uri = f"rtsp://{{host}}:{stream.port}/camera"
    camera = onvif_network.add(OnvifCamera(profiles, ("anna", secret), uri))
    port = onvif_network.answer_discovery(says("Door", f"http://127.0.0.1:{camera.port}/onvif/device_service"))
    monkeypatch.setenv("HARSTREAM_DISCOVERY", f"127.0.0.1:{port}")
    typing = terminal("config", "init")
    typing.answer("Name of this machine", "")
    typing.wait_for(f"{camera.address} Door")
    typing.answer("Camera", camera.address)
    typing.answer("User name for the camera", "anna")
    typing.answer("Password of anna", f"{secret}2")
    typing.wait_for("refuses the user name or password")
    typing.answer("Camera", camera.address)
    typing.answer("User name for the camera", "anna")
    typing.answer("Password of anna", secret)
    typing.wait_for("recommended: sub")
    typing.wait_for("h264 320x240")
    for question in ("Its name", "The room", "The address", "Another camera", "MQTT broker"):
        typing.answer(question, "")
    typing.answer("A live view", "n")
    assert typing.exit_code() == 0, typing.output
    assert secret not in typing.output + (tmp_path / "config.yaml").read_text()
    assert (tmp_path / "secrets/camera-camera").stat().st_mode & 0o777 == 0o600
    (written,) = load_config(tmp_path / "config.yaml").cameras
    assert written.source == stream.url(login=f"anna:{secret}")
    assert checked(tmp_path).returncode == 0


def test_of_a_recorder_the_camera_is_chosen(
    terminal: Callable[..., Terminal], tmp_path: Path, onvif_network: OnvifNetwork
) -> None:
    profiles = [
        StreamProfile(f"{name}{size}", size, size, channel=name) for name in ("yard", "hall") for size in (900, 400)
    ]
    camera = onvif_network.add(OnvifCamera(profiles, uri="rtsp://{host}:1/{token}"))
    typing = terminal("config", "init")
    typing.answer("Name of this machine", "")
    typing.answer("Camera", camera.address)
    typing.wait_for("2: hall400 H264 400x400")
    typing.answer("Which of its cameras", "2")
    typing.wait_for("nothing listens at")
    typing.answer("Keep it anyway", "y")
    for question in ("Its name", "The room", "Another camera", "MQTT broker"):
        typing.answer(question, "")
    typing.answer("A live view", "n")
    assert typing.exit_code() == 0, typing.output
    (written,) = load_config(tmp_path / "config.yaml").cameras
    assert written.source == "rtsp://127.0.0.1:1/hall400"


@pytest.mark.mosquitto
def test_a_broker_with_its_own_authority_that_demands_a_client_certificate(
    terminal: Callable[..., Terminal], tmp_path: Path, stopped_mosquitto: Any, authority: Authority
) -> None:
    broker, client = authority.sign("broker"), authority.sign("client")
    stopped_mosquitto.configure(
        f"listener {stopped_mosquitto.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
        f"cafile {authority.certificate.file}\ncertfile {broker.file}\nkeyfile {broker.key}\n"
        "require_certificate true\n"
    )
    stopped_mosquitto.start()
    url = f"mqtts://127.0.0.1:{stopped_mosquitto.port}"
    typing = terminal("config", "init")
    for question in ("Name of this machine", "Camera", "Its name", "The room", "Another camera"):
        typing.answer(question, "")
    typing.answer("MQTT broker", url)
    typing.answer("certificate of its authority", str(authority.certificate.file))
    typing.answer("certificate of this client", "")
    typing.wait_for("a demand for a client certificate")
    typing.answer("Keep it anyway", "n")
    typing.answer("MQTT broker", url)
    typing.answer("certificate of its authority", str(authority.certificate.file))
    typing.answer("certificate of this client", str(client.file))
    typing.answer("key of that certificate", str(client.key))
    typing.wait_for("answers, MQTT 5")
    typing.answer("A live view", "n")
    assert typing.exit_code() == 0, typing.output
    written = load_config(tmp_path / "config.yaml").mqtt.tls
    assert (written.ca, written.certificate, written.key) == (authority.certificate.file, client.file, client.key)
    assert checked(tmp_path).returncode == 0


@pytest.mark.parametrize("answer", ["", "n"])
def test_an_existing_file_is_kept_unless_overwriting_is_confirmed(
    terminal: Callable[..., Terminal], tmp_path: Path, answer: str
) -> None:
    (tmp_path / "config.yaml").write_text("node: mine\n")
    typing = terminal("config", "init")
    typing.answer("Overwrite config.yaml", answer)
    assert typing.exit_code() == 0
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.yaml", "node: mine\n")]


@pytest.mark.parametrize("leave", [Terminal.interrupt, Terminal.end_input])
def test_leaving_in_the_middle_writes_nothing(
    terminal: Callable[..., Terminal], tmp_path: Path, leave: Callable[[Terminal], None]
) -> None:
    typing = terminal("config", "init", "new/config.yaml")
    typing.answer("Name of this machine", "nuc1")
    typing.answer("Camera", "scene")
    typing.wait_for("Its name")
    leave(typing)
    assert typing.exit_code() == 130
    assert typing.output.endswith("\nnothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_the_command_without_a_terminal_gives_a_one_line_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [HARSTREAM, "config", "init"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert all(part in done.stderr for part in ("harstream config init", "not a terminal", "run it in one"))
    assert list(tmp_path.iterdir()) == []


def test_the_printed_schema_is_that_of_the_repository(tmp_path: Path) -> None:
    printed = subprocess.run([HARSTREAM, "config", "schema"], capture_output=True, text=True, timeout=40, check=True)
    repository = Path(__file__).parents[2]
    assert printed.stdout == (repository / "docs" / "config.schema.json").read_text(encoding="utf-8")
