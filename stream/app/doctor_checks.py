"""The checks of `harstream doctor`, with advice for each failure."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harstream.models.catalogue import shipped
from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.outbox import FILE as OUTBOX_FILE
from harstream.mqtt.outbox_file import is_in_use
from harstream.stream.config.model import Config
from harstream.stream.config.web import WebConfig
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.recognition.onnx_session import has_nvidia_driver
from harstream.stream.sources.address import Webcam
from harstream.stream.sources.probe import CameraFormat, probe_all
from harstream.wire.errors import HarstreamError

PACKAGES = ("harstream", "onnxruntime-gpu", "onnxruntime", "opencv-python", "numpy", "paho-mqtt", "av", "tensorflow")


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    what: str
    found: str
    is_fine: bool
    advice: str = ""
    is_needed: bool = False
    """Whether `harstream run` fails without it."""


def run_checks(config: Config) -> list[Finding]:
    return [*_findings(config)]


def _findings(config: Config) -> Iterator[Finding]:
    yield Finding("machine", f"{platform.platform()}, {os.cpu_count()} cores", True)
    yield Finding("Python", sys.version.split()[0], sys.version_info >= (3, 11), "3.11 or newer is needed", True)
    yield from _packages()
    yield _accelerator()
    yield _model(config)
    is_running = is_in_use(config.state / OUTBOX_FILE)
    if is_running:
        yield Finding("service", f"harstream is running, with the state in {config.state}", True)
    yield from _cameras(config, is_running=is_running)
    yield _screen()
    yield _broker(config, is_running=is_running)
    if config.web.enabled:
        setting = "web.port in config.yaml, or --port"
        yield _port("live view", config.web.host, config.web.port, setting, is_running=is_running)
        yield _login(config.web)
    if config.events:
        yield _file("events", config.events)
    if config.record:
        yield _file("record", config.record, suffix=".mp4")
    yield from _state(config.state)


def _packages() -> Iterator[Finding]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if {"onnxruntime", "onnxruntime-gpu"} <= found.keys():
        yield Finding(
            "ONNX Runtime", "onnxruntime and onnxruntime-gpu", False,
            "they break each other: uninstall both with pip, then install harstream again", is_needed=True,
        )  # fmt: skip
    yield Finding("versions", ", ".join(f"{name} {number}" for name, number in found.items()), True)


def _accelerator() -> Finding:
    if not has_nvidia_driver():
        return Finding("accelerator", "CPU (no NVIDIA driver)", True)
    try:
        provider = engine.load_engine(shipped()[0], "auto").provider
    except (HarstreamError, IndexError) as error:
        return Finding("accelerator", str(error), False, "see the line about the model")
    advice = "there is an NVIDIA driver: install the CUDA libraries with pip install 'harstream[cuda]'"
    return Finding("accelerator", provider, provider != "CPU", advice)


def _model(config: Config) -> Finding:
    try:
        recognizer = engine.load_engine(config.model, config.device)
    except HarstreamError as error:
        return Finding("model", str(error), False, "choose another with --model", is_needed=True)
    contract = recognizer.contract
    known = f"{contract.name} {contract.version} on {recognizer.provider}, {len(contract.activities)} activities"
    return Finding("model", f"{known}; shipped: {', '.join(shipped())}", True)


def _cameras(config: Config, *, is_running: bool) -> Iterator[Finding]:
    results = list(probe_all([(camera.name, camera.parsed_source) for camera in config.cameras]))
    for one in results[: len(config.cameras)]:
        advice = "`run` retries it" if len(config.cameras) > 1 else ""
        if is_running and isinstance(one.source, Webcam):
            advice = "only one program can use it, and harstream is running"
        yield Finding("camera", str(one), isinstance(one.result, CameraFormat), advice, is_needed=not advice)
    webcams = [
        one.source.device for one in results if isinstance(one.source, Webcam) and isinstance(one.result, CameraFormat)
    ]
    advice = "use rtsp://..., a file, or --source scene"
    yield Finding("webcams", ", ".join(map(str, webcams)) or "none", bool(webcams), advice)


def _screen() -> Finding:
    has_screen = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return Finding("screen", "there is one" if has_screen else "none", has_screen, "use the live view, not --display")


def _broker(config: Config, *, is_running: bool) -> Finding:
    if not config.mqtt.broker:
        port, setting = config.mqtt.embedded_port, "mqtt.embedded_port, or --broker"
        return _port("own broker", "127.0.0.1", port, setting, is_running=is_running)
    try:
        address = config.mqtt.address
        connection = Connection(address)
        connection.open()
        connection.close()
    except HarstreamError as error:
        return Finding("broker", str(error), False, is_needed=True)
    is_checked = not address.tls or not address.tls_settings.insecure
    advice = "mqtt.tls.insecure: anyone on the way can read and change the messages: set mqtt.tls.ca instead"
    return Finding("broker", f"{address.url} answers, MQTT {connection.version}", is_checked, advice)


def _login(web: WebConfig) -> Finding:
    if web.is_open_to_all:
        advice = "write web.users: `harstream config hash-password` makes the hash of a password"
        return Finding("login", "none: everybody who reaches the page sees the cameras", False, advice)
    if not web.needs_login:
        return Finding("login", "none: the page is for this machine alone", True)
    known = [*(user.name for user in web.users), *(f"{token.name} (token)" for token in web.tokens)]
    known += ["users of the proxy"] if web.proxy and web.proxy.user_header else []
    return Finding("login", ", ".join(known), True)


def _port(what: str, host: str, port: int, setting: str, *, is_running: bool) -> Finding:
    """Try to bind the port. If harstream runs already, a port in use counts as fine, because it may be harstream's."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if is_running and error.errno == errno.EADDRINUSE:
                return Finding(what, f"port {port} is in use while harstream is running", True)
            return Finding(what, f"port {port}: {error.strerror}", False, f"choose another: {setting}", is_needed=True)
    return Finding(what, f"port {port} is free", True)


def _file(what: str, path: Path, suffix: str = "") -> Finding:
    """Check the path without creating the file, because an empty file would look like a run without events."""
    advice = f"choose another with --{what}, or create the folder"
    if suffix and path.suffix != suffix:
        return Finding(what, f"{path} is not an {suffix} file", False, advice, is_needed=True)
    is_fine = _is_writable(path) if path.exists() else path.parent.is_dir() and _is_writable(path.parent)
    is_fine = is_fine and not path.is_dir()
    return Finding(what, f"{path} can{'' if is_fine else 'not'} be written", is_fine, advice, is_needed=True)


def _state(folder: Path) -> Iterator[Finding]:
    """Check the folder, or the nearest existing folder above it, because `run` creates the rest."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    is_fine = there.is_dir() and _is_writable(there)
    found = f"{folder} can{'' if is_fine else 'not'} be written"
    yield Finding("state", found, is_fine, "choose another: state in config.yaml", is_needed=True)
    free = shutil.disk_usage(there).free / 1e9
    yield Finding(
        "disk", f"{free:.0f} GB free", free > 1, "events wait on disk while the broker is unreachable: free some space"
    )


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK | os.X_OK if path.is_dir() else os.W_OK)
