"""The commands with a broker that has TLS with an authority of one's own, and a login from a file."""

from __future__ import annotations

import getpass
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.broker import Mosquitto
from tests.support.certificates import Authority
from tests.support.command import SECRET, Harstream, Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def secured(stopped_mosquitto: Mosquitto, authority: Authority, tmp_path: Path) -> Mosquitto:
    certificate, passwords = authority.sign("broker"), tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), "anna", f"{SECRET}@:/"], check=True)
    stopped_mosquitto.configure(
        f"listener {stopped_mosquitto.port} 127.0.0.1\nuser {getpass.getuser()}\nallow_anonymous false\n"
        f"password_file {passwords}\ncertfile {certificate.file}\nkeyfile {certificate.key}\n"
    )
    stopped_mosquitto.start()
    return stopped_mosquitto


def write_config(folder: Path, port: int, tls: dict[str, object], password: str = f"{SECRET}@:/") -> None:
    (folder / "secret").write_text(f"{password}\n")
    section = {"broker": f"mqtts://127.0.0.1:{port}", "user": "anna", "password": "PASSWORD", "tls": tls}
    config = {"cameras": [{"name": "hall", "source": "scene"}], "mqtt": section, "web": {"enabled": False}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config).replace("PASSWORD", "!file secret"))


def test_run_listen_and_doctor_share_login_and_authority(
    start: Start, harstream: Harstream, secured: Mosquitto, authority: Authority, light_model: Path,
    eventually: Eventually, tmp_path: Path,
) -> None:  # fmt: skip
    write_config(tmp_path, secured.port, {"ca": str(authority.certificate.file)})
    listener = start("listen")
    running = start("run", "--verbose", "--model", light_model)
    eventually(lambda: "hall" in listener.output, "a message of the camera", 40)
    _, doctor = harstream("doctor")
    assert f"mqtts://127.0.0.1:{secured.port} answers" in " ".join(doctor.output.split())
    for process in (running, listener):
        process.signal(signal.SIGINT)
        assert process.wait(15) == 0
    assert "is not checked" not in running.output


def catches(pid: int, number: signal.Signals) -> bool:
    """Returns whether a process handles a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> (number - 1) & 1)


def test_an_unchecked_certificate_is_said_at_each_start(
    start: Start, secured: Mosquitto, light_model: Path, eventually: Eventually, tmp_path: Path
) -> None:
    write_config(tmp_path, secured.port, {"insecure": True})
    for _ in range(2):
        running = start("run", "--model", light_model)
        eventually(lambda pid=running.pid: catches(pid, signal.SIGTERM), "the start", 40)  # type: ignore[misc]
        running.signal(signal.SIGINT)
        assert running.wait(15) == 0
        assert sum("mqtt.tls.insecure" in line and "WARN" in line for line in running.stderr) == 1


def test_a_refused_login_shows_no_password(
    harstream: Harstream, secured: Mosquitto, authority: Authority, light_model: Path, tmp_path: Path
) -> None:
    write_config(tmp_path, secured.port, {"ca": str(authority.certificate.file)}, password=f"wrong{SECRET}")
    for arguments in (("run", "--verbose", "--model", light_model), ("listen",)):
        code, running = harstream(*arguments)  # `wait` searches its output
        assert code == 6
        assert "refused the login of 'anna'" in " ".join(running.output.split())
