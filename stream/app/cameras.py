"""`harstream cameras`: finds webcams and ONVIF cameras, and probes cameras."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from harstream.stream.app.onvif_cameras import (
    MULTICAST,
    DiscoveryOption,
    ask_and_report,
    ask_password,
    search_cameras,
    streams_of,
)
from harstream.stream.app.terminal import console, one_line_errors
from harstream.stream.config.file import load_config
from harstream.stream.sources.address import Source, is_onvif, parse_source
from harstream.stream.sources.network.onvif_device import OnvifDevice
from harstream.wire.errors import SourceError


def cameras(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Cameras, as in `run --source`, e.g. rtsp://..., or onvif://user:password@host"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Probe the cameras of this configuration.")] = None,
    login: Annotated[
        str | None, typer.Option(help="User name for ONVIF cameras. The password is asked for, or read from the input.")
    ] = None,
    discovery: DiscoveryOption = MULTICAST,
) -> None:
    """Find webcams and ONVIF cameras, and probe cameras. Report codec, size and rate of each, or what is wrong and what
    to do. Of an ONVIF camera, report the smallest stream that is large enough.

    The network is searched if no camera is given. Exit code 4 if a given camera sends no pictures.
    """
    with one_line_errors():
        logged_in = partial(_with_login, user=login, password=_password(login))
        given: list[tuple[str, Source]] = []
        if config:
            given += [(camera.name, camera.parsed_source) for camera in load_config(config).cameras]
        given += [("", parse_source(text)) for text in sources or () if not is_onvif(text)]
        devices = [logged_in(OnvifDevice.parse(text)) for text in sources or () if is_onvif(text)]
        found = [] if given or devices else [logged_in(device) for device in search_cameras(console, discovery)]
        if not _report(given, devices, found):
            raise typer.Exit(SourceError.exit_code)


def _password(user: str | None) -> str:
    try:
        return ask_password(user) if user else ""
    except EOFError:
        raise typer.Abort from None


def _with_login(device: OnvifDevice, user: str | None, password: str) -> OnvifDevice:
    """Return the device with this login if it has none of its own."""
    return device if device.user or not user else device.with_login(user, password)


def _report(given: list[tuple[str, Source]], devices: list[OnvifDevice], found: list[OnvifDevice]) -> bool:
    """Print one line per camera. Return whether all that were given send pictures.

    Cameras that were found are not tried: over RTSP, any of them could ask for the password itself.
    """
    from harstream.stream.sources.probe import CameraFormat, probe_all

    asked = ask_and_report(console, devices)
    ask_and_report(console, found)
    named = [*given, *streams_of(asked)]
    results = list[CameraFormat | SourceError]()
    for one in probe_all(named):
        results.append(one.result)
        state = "[green]ok[/]    " if isinstance(one.result, CameraFormat) else "[red]failed[/]"
        console.print(f"{state}  {escape(str(one))}")
    if not (results or devices or found):
        console.print("no webcam found; try a network camera: harstream cameras rtsp://user:password@host/path")
    if any(device.user for device in [*devices, *found]):
        console.print("*** stands for user:password; `harstream config init` writes the whole address")
    return not any(isinstance(result, SourceError) for result in [*asked, *results[: len(named)]])
