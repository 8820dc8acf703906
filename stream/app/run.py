"""From configuration to a service that runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from harstream.stream.app.outlets import Outlets
from harstream.stream.app.parts import new_context, new_pipeline, refuse_to_overwrite
from harstream.stream.config.model import Config
from harstream.stream.config.tracker_settings import tracker_settings
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.service.camera_settings import CameraSettings, Parts
from harstream.stream.service.service import Service, reloaded_by_signal, stopped_by_signals
from harstream.stream.sinks.systemd import Systemd
from harstream.stream.sources.address import parse_source
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.registry import new_source

log = logging.getLogger(__name__)


def assemble(
    config: Config,
    stack: ExitStack,
    console: Console,
    reread: Callable[[], Config],
    systemd: Systemd,
    *,
    is_first: bool,
) -> Callable[[], bool]:
    """Open everything that `harstream run` needs, on the stack, and return what runs it, which returns whether it is to
    begin anew, with what `reread` says then. Raises HarstreamError.

    `is_first`: a camera or broker that cannot be reached ends the run, for it may be mistyped; else it is tried again.
    """
    refuse_to_overwrite([Path(camera.source) for camera in config.cameras], config.events, config.record)
    recognizer = engine.load(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    contract = recognizer.contract
    clock, areas = Clock(), {camera.name: camera.area for camera in config.cameras}
    context = new_context(config, recognizer, areas)
    parts = Parts(
        source=lambda camera, must_open: new_source(
            camera.name, parse_source(camera.source), clock, must_open=must_open
        ),
        settings=lambda config, camera, threshold: tracker_settings(config, contract, camera, threshold),
        reread=reread,
        is_possible=_check,
        areas=areas,
    )
    for camera in config.cameras:
        parts.source(camera, False)  # a mistake is told before anything is opened
    control = CameraSettings(config, parts, config.state / "controls.json")
    stack.callback(control.close)
    # Before anybody is told that the service is there: until then, the signal ends the process.
    stack.enter_context(reloaded_by_signal(lambda: control.ask(lambda: _reload(control, systemd), _refused)))
    outlets = Outlets(config, context, recognizer, control, stack, console)
    outlets.say(
        f"model [bold]{escape(contract.name)}[/] on [bold]{recognizer.provider}[/]: "
        f"{len(contract.activities)} activities, {contract.frames} frames at {contract.live_rate:g} Hz "
        f"({contract.span:.1f} s)"
    )
    event_sinks, frame_sinks, history = outlets.open(must_connect=is_first)
    service = Service(
        new_pipeline(config, recognizer),
        event_sinks | {"systemd": systemd},
        frame_sinks,
        clock,
        owed=history.owed if history else (),
    )
    stack.callback(service.close)
    stack.enter_context(stopped_by_signals(control.end))
    control.start(service, must_open=is_first and len(config.cameras) == 1)

    def run() -> bool:
        try:
            service.run()
        finally:
            if not control.begins_anew:
                systemd.stop()
        return control.begins_anew

    return run


def _check(config: Config) -> None:
    """Raises HarstreamError where `assemble` would, as far as that can be told while another service has the ports."""
    refuse_to_overwrite([Path(camera.source) for camera in config.cameras], config.events, config.record)
    tracker_settings(config, engine.load(config.model, config.device).contract)


def _reload(control: CameraSettings, systemd: Systemd) -> None:
    systemd.reload()
    try:
        log.info("config reloaded: %s", control.reload())
    finally:
        if not control.begins_anew:
            systemd.reloaded()


def _refused(why: str) -> None:
    log.error("config not taken, going on as before: %s", why)
