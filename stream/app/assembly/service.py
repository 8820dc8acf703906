"""Builds the service of `harstream run` from the configuration, and starts and runs it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from harstream.models.catalogue import ModelNotFound, find_model
from harstream.stream.app.assembly.configured_cameras import ConfiguredCameras
from harstream.stream.app.assembly.outputs import Outputs, new_outputs
from harstream.stream.app.assembly.startup_messages import StartupMessages
from harstream.stream.app.output_check import check_outputs
from harstream.stream.app.pipeline_from_config import new_detector, new_pipeline
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.stream.history.store import FILE as HISTORY_FILE
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.recognition.protocols import Engine
from harstream.stream.service.camera_commands import CameraCommands
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.change_queue import ChangeQueue
from harstream.stream.service.reload import Reload
from harstream.stream.service.service import Service
from harstream.stream.service.settings_file import FILE as SETTINGS_FILE
from harstream.stream.service.settings_file import SettingsFile
from harstream.stream.service.shutdown import Shutdown
from harstream.stream.service.signals import RunSignals
from harstream.stream.sinks.systemd import Systemd
from harstream.stream.sources.clock import Clock
from harstream.stream.teaching.chosen_model import chosen_model
from harstream.stream.teaching.learning_process import LearningProcess
from harstream.stream.teaching.recorder import ExampleRecorder
from harstream.stream.teaching.teaching import RunningModel, Teaching
from harstream.wire.errors import NodeTakenOver, SinkError

if TYPE_CHECKING:
    from harstream.stream.web.server import WebServer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunnableService:
    """The parts of one run. They hold all state; this value only starts and runs them."""

    config: Config
    outputs: Outputs
    service: Service
    shutdown: Shutdown
    settings: CameraSettings
    reload: Reload
    changes: ChangeQueue
    teaching: Teaching | None
    web: WebServer | None
    systemd: Systemd
    messages: StartupMessages

    def start(self, stack: ExitStack, signals: RunSignals, *, is_first: bool) -> None:
        """Start all parts, outputs first. The stack closes them in reverse order. Raises HarstreamError.

        `signals` stop and reload this service until the stack closes.
        `is_first`: an unreachable broker or single camera ends the run, because its address may be mistyped. Later
        starts retry instead.
        """
        stack.callback(self.changes.close)
        stack.callback(self.settings.close)
        stack.enter_context(signals.reload_with(lambda: self.changes.put(self._reload, _log_refusal)))
        self.outputs.start(stack, self.messages, must_connect=is_first)
        if self.teaching is not None:
            stack.callback(self.teaching.close)
        if self.web is not None:
            self.web.start()
            stack.callback(self.web.close)
            self.messages.show(f"live view [bold]{escape(self.web.url)}[/]")
            if self.config.web.is_open_to_all:
                log.warning(
                    "web.auth is none: everybody who reaches %s:%d sees the cameras without a login", *self.web.address
                )
        stack.callback(self.service.close)
        stack.enter_context(signals.stop_with(self.shutdown.stop))
        self.changes.start()
        self.settings.start(must_open=is_first and len(self.config.cameras) == 1)

    def run(self) -> bool:
        """Run until the end, and return whether to start the service again. Raises SourceError."""
        try:
            self._run_service()
        finally:
            if not self.shutdown.is_restart:
                self.systemd.report_stopping()
        self._raise_if_taken_over()
        return self.shutdown.is_restart

    def _raise_if_taken_over(self) -> None:
        if (newer := self.outputs.publisher.newer_owner) is not None:
            raise NodeTakenOver(
                f"expected to be the only harstream with node {newer.node!r}, got a newer one on {newer.host}: "
                "this one ends; give one of them another `node`"
            )

    def _run_service(self) -> None:
        """Run the service. A sink that hangs at its end is an error, unless the service starts again."""
        try:
            self.service.run(undelivered=self.outputs.history.undelivered if self.outputs.history else ())
        except SinkError as error:
            if not (self.shutdown.is_restart or self.service.is_clock_stale):
                raise
            log.error("%s", error)
        if self.service.is_clock_stale:
            self.shutdown.restart()

    def _reload(self) -> None:
        self.systemd.report_reloading()
        try:
            log.info("config reloaded: %s", self.reload())
        finally:
            if not self.shutdown.is_restart:
                self.systemd.report_reloaded()


def build_service(config: Config, console: Console, systemd: Systemd, read: Callable[[], Config]) -> RunnableService:
    """Build each part from the earlier ones. It opens only the model. Raises HarstreamError.

    `read` returns the current configuration at a reload.
    """
    check_outputs([Path(camera.source) for camera in config.cameras], config.events, config.record)
    recognizer = engine.load_engine(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    clock = Clock()
    detector = new_detector(config)
    cameras = ConfiguredCameras(clock, recognizer.contract, detector)
    for camera in config.cameras:
        cameras.new_source(camera, must_open=False)  # raises for a missing file before anything is opened
        cameras.view_settings(config, camera)
    messages = StartupMessages(console, config.log)
    _show_model(recognizer, messages)
    if chosen_model(config.state) == Path(config.model):
        log.info("the model %s was chosen on the page and overrides config.yaml", config.model)

    # Outputs do not depend on the service's controls.
    outputs = new_outputs(config, recognizer, console)

    pipeline = new_pipeline(config, recognizer, detector=detector)
    service = Service(pipeline, outputs.event_sinks(systemd), outputs.frame_sinks(), clock)

    # Controls change settings while the service runs.
    shutdown = Shutdown(service)
    outputs.publisher.set_takeover_handler(shutdown.stop)
    settings = CameraSettings(service, config, SettingsFile(config.state / SETTINGS_FILE), cameras, outputs)
    reload = Reload(settings, shutdown, read, _check, partial(_has_new_files, config.model, recognizer.files.sha256()))
    changes = ChangeQueue()

    # Inputs request changes. Signals do so, too, after `start`.
    CameraCommands(outputs.publisher, outputs.mqtt.topics, settings, changes)
    teaching = _new_teaching(outputs.examples, recognizer, settings, reload)
    web = _new_web_server(config, outputs, recognizer, service, settings, reload, teaching)
    if outputs.window is not None:
        outputs.window.on_quit(shutdown.stop)

    return RunnableService(
        config, outputs, service, shutdown, settings, reload, changes, teaching, web, systemd, messages
    )


def _show_model(recognizer: Engine, messages: StartupMessages) -> None:
    contract = recognizer.contract
    messages.show(
        f"model [bold]{escape(contract.name)}[/] on [bold]{recognizer.provider}[/]: "
        f"{len(contract.activities)} activities, {contract.frames} frames at {contract.live_rate:g} Hz "
        f"({contract.span:.1f} s)"
    )


def _new_teaching(
    recorder: ExampleRecorder | None, recognizer: Engine, settings: CameraSettings, reload: Reload
) -> Teaching | None:
    if recorder is None:
        return None
    running = RunningModel(settings.config.model, recognizer.contract)
    return Teaching(running, lambda: settings.config, reload, recorder, LearningProcess())


def _new_web_server(
    config: Config,
    outputs: Outputs,
    recognizer: Engine,
    service: Service,
    settings: CameraSettings,
    reload: Reload,
    teaching: Teaching | None,
) -> WebServer | None:
    if outputs.view is None:
        return None
    from harstream.stream.web.access.sessions import FILE as SESSIONS_FILE
    from harstream.stream.web.app import ServiceFacts, Site
    from harstream.stream.web.cameras_api import HttpControl
    from harstream.stream.web.server import WebServer
    from harstream.stream.web.viewers import OutputState

    site = Site(
        ServiceFacts(recognizer.contract, version("harstream"), recognizer.provider),
        outputs.view,
        config.web,
        sessions=config.state / SESSIONS_FILE,
        history=config.state / HISTORY_FILE if config.history.enabled else None,
        control=HttpControl(settings, reload) if config.web.may_control else None,
        teaching=teaching,
        metrics=outputs.metrics.text,
        outputs=lambda: OutputState(outputs.publisher.is_connected, service.hanging),
    )
    return WebServer(site)


def _check(config: Config) -> None:
    """Raises the errors of `build_service` that can be checked while another service runs."""
    check_outputs([Path(camera.source) for camera in config.cameras], config.events, config.record)
    effective_tracker_settings(config, engine.load_engine(config.model, config.device).contract)


def _has_new_files(model: str, sha256: str) -> bool:
    """Return whether the model's files have changed. Missing files are no change: the loaded model works on."""
    try:
        return find_model(model).sha256() != sha256
    except (ModelNotFound, OSError):
        return False


def _log_refusal(why: str) -> None:
    log.error("the new configuration is not used, the service continues with the old one: %s", why)
