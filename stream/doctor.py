"""What this machine has, and what to do about what it lacks."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np

from models.catalogue import shipped
from stream import engine
from stream.config import Config
from stream.connection import BrokerAddress, Connection
from stream.errors import HarstreamError

PACKAGES = ("harstream", "onnxruntime-gpu", "onnxruntime", "opencv-python", "numpy", "paho-mqtt", "av", "tensorflow")
WEBCAMS_TRIED = 4


@dataclass(frozen=True)
class Finding:
    what: str
    found: str
    is_fine: bool
    advice: str = ""
    is_needed: bool = False
    """`harstream run` cannot work without it."""


def examine(config: Config) -> list[Finding]:
    return [*_findings(config)]


def _findings(config: Config) -> Iterator[Finding]:
    yield Finding("machine", f"{platform.platform()}, {os.cpu_count()} cores", True)
    yield Finding("Python", sys.version.split()[0], sys.version_info >= (3, 11), "3.11 or newer is needed", True)
    yield from _packages()
    yield _accelerator()
    yield _model(config)
    yield _webcams()
    yield _screen()
    yield _broker(config)
    if config.web.enabled:
        yield _port("live view", config.web.host, config.web.port, "web.port in config.yaml, or --port")
    free = shutil.disk_usage(".").free / 1e9
    yield Finding("disk", f"{free:.0f} GB free", free > 1, "events wait on it while the broker is away: free some")


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
            "they break each other: pip uninstall both, then install harstream again", is_needed=True,
        )  # fmt: skip
    yield Finding("versions", ", ".join(f"{name} {number}" for name, number in found.items()), True)


def _accelerator() -> Finding:
    if not engine.has_nvidia_driver():
        return Finding("accelerator", "CPU (no NVIDIA driver)", True)
    try:
        provider = engine.load(shipped()[0], "auto").provider
    except (HarstreamError, IndexError) as error:
        return Finding("accelerator", str(error), False, "see the line of the model")
    advice = "there is an NVIDIA driver: pip install 'harstream[cuda]' brings the CUDA libraries"
    return Finding("accelerator", provider, provider != "CPU", advice)


def _model(config: Config) -> Finding:
    try:
        recognizer = engine.load(config.model, config.device)
    except HarstreamError as error:
        return Finding("model", str(error), False, "choose another with --model", is_needed=True)
    contract = recognizer.contract
    known = f"{contract.name} {contract.version} on {recognizer.provider}, {len(contract.activities)} activities"
    return Finding("model", f"{known}; shipped: {', '.join(shipped())}", True)


def _webcams() -> Finding:
    found = []
    for index in range(WEBCAMS_TRIED):
        if sys.platform == "linux" and not os.path.exists(f"/dev/video{index}"):
            continue
        capture = cv2.VideoCapture(index)
        ok, picture = capture.read() if capture.isOpened() else (False, None)
        if ok and isinstance(picture, np.ndarray):
            found.append(f"{index} ({picture.shape[1]}x{picture.shape[0]})")
        capture.release()
    return Finding("webcams", ", ".join(found) or "none", bool(found), "use rtsp://..., a file, or --source scene")


def _screen() -> Finding:
    has_screen = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return Finding("screen", "there is one" if has_screen else "none", has_screen, "use the live view, not --display")


def _broker(config: Config) -> Finding:
    if not config.mqtt.broker:
        return _port("own broker", "127.0.0.1", config.mqtt.embedded_port, "mqtt.embedded_port, or --broker")
    try:
        address = BrokerAddress.parse(config.mqtt.broker)
        connection = Connection(address)
        connection.open()
        connection.close()
    except HarstreamError as error:
        return Finding("broker", str(error), False, is_needed=True)
    return Finding("broker", address.url, True)


def _port(what: str, host: str, port: int, setting: str) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(what, f"port {port}: {error.strerror}", False, f"choose another: {setting}", is_needed=True)
    return Finding(what, f"port {port} is free", True)
