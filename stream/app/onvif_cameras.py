"""Searches ONVIF cameras for the commands, and prints what they offer."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence
from getpass import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harstream.stream.sources.address import NetworkCamera
from harstream.stream.sources.network.onvif_device import OnvifCamera, OnvifDevice
from harstream.wire.errors import Misfit, SourceError

NOT_INSTALLED = "ONVIF cameras are not asked; for them: pip install 'harstream[onvif]'"
MULTICAST, NOWHERE = "239.255.255.250:3702", "none"
DiscoveryOption = Annotated[
    str,
    typer.Option(
        envvar="HARSTREAM_DISCOVERY",
        help=f"Where ONVIF cameras are searched: a multicast group, one camera, or {NOWHERE}.",
    ),
]


def is_installed() -> bool:
    """Return whether the library for ONVIF is there."""
    try:
        import onveef  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def search_cameras(console: Console, where: str) -> list[OnvifDevice]:
    """Return the ONVIF cameras that answer. Without the library, print what to install. Raises Misfit."""
    if where == NOWHERE:
        return []
    host, _, port = where.rpartition(":")
    if not _is_ipv4(host) or not port.isdecimal() or not 0 < int(port) <= 65_535:
        raise Misfit(
            f"--discovery: expected an IPv4 address and a port, such as {MULTICAST}, or {NOWHERE}", repr(where)
        )
    if not is_installed():
        console.print(escape(NOT_INSTALLED))
        return []
    from harstream.stream.sources.network.ws_discovery import DiscoveryAddress, find_cameras

    return find_cameras(DiscoveryAddress(host, int(port)))


def ask_and_report(console: Console, devices: Sequence[OnvifDevice]) -> list[OnvifCamera | SourceError]:
    """Ask the cameras for their streams, and print one line for each."""
    if not devices:
        return []
    from harstream.stream.sources.network.onvif import ask_cameras

    answers = ask_cameras(devices)
    for answer in answers:
        state = "[green]ok[/]    " if isinstance(answer, OnvifCamera) else "[red]failed[/]"
        console.print(f"{state}  {escape(str(answer))}")
    return answers


def streams_of(answers: Sequence[OnvifCamera | SourceError]) -> list[tuple[str, NetworkCamera]]:
    """Return a name and the recommended stream of each camera."""
    return [
        (camera.device.name if len(camera.recommended) == 1 else stream.profile.name, stream.camera)
        for camera in answers
        if isinstance(camera, OnvifCamera)
        for stream in camera.recommended
    ]


def ask_password(user: str) -> str:
    """Ask for the password of a user without showing it. Without a terminal, read it from the input."""
    return getpass(f"Password of {user}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
