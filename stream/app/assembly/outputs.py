"""The outputs of `harstream run`: sinks, MQTT, history and files. They do not depend on the service's controls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from rich.console import Console
from rich.markup import escape

from harstream.mqtt.announcer import Announcer
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.outbox import FILE as OUTBOX_FILE
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.stream.app.assembly.startup_messages import StartupMessages
from harstream.stream.app.pipeline_from_config import new_context
from harstream.stream.config.model import Config
from harstream.stream.history.sink import HistorySink
from harstream.stream.history.store import FILE as HISTORY_FILE
from harstream.stream.recognition.protocols import Engine
from harstream.stream.service.protocols import EventSink, FrameSink, NamedSink
from harstream.stream.sinks.console import ConsoleSink
from harstream.stream.sinks.event_log import EventLog
from harstream.stream.sinks.jsonl import JsonLines
from harstream.stream.sinks.metrics import Metrics
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.stream.sinks.snapshots import Snapshots
from harstream.stream.sinks.stored_events import StoredEvents
from harstream.stream.sinks.systemd import Systemd
from harstream.stream.teaching.recorder import ExampleRecorder
from harstream.stream.web.addresses import shared_page_url
from harstream.stream.web.forecast_cache import ForecastCache
from harstream.stream.web.view_state import ViewState
from harstream.wire.context import Context
from harstream.wire.errors import ModelError
from harstream.wire.home_assistant import announcements
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.values import CameraControl

if TYPE_CHECKING:  # imported below if they are configured: they take time
    from harstream.mqtt.embedded_broker import EmbeddedBroker
    from harstream.stream.sinks.display import Display
    from harstream.stream.sinks.recorder import VideoRecorder

S = TypeVar("S")

MOST_EVENTS, MOST_FRAMES = 10_000, 50
"""Events, and frames, that may wait for a sink that hangs."""


class HasContext(Protocol):
    """A sink whose messages contain the camera's area. The context is frozen; a new one replaces it."""

    context: Context


@dataclass(frozen=True)
class Outputs:
    """The sinks of a run, with the publisher and the broker. An output that is not configured is None."""

    config: Config
    broker: BrokerAddress
    own_broker: EmbeddedBroker | None
    publisher: Publisher
    history: HistorySink | None
    mqtt: MqttSink
    announcer: Announcer
    snapshots: Snapshots
    console: ConsoleSink | EventLog
    metrics: Metrics
    events_file: JsonLines | None
    view: ViewState | None
    examples: ExampleRecorder | None
    recorder: VideoRecorder | None
    window: Display | None

    def event_sinks(self, systemd: Systemd) -> list[NamedSink[EventSink]]:
        """Return the event sinks in the order in which they receive a notice."""
        return [
            NamedSink("state folder", StoredEvents(self.history, self.mqtt), MOST_EVENTS),
            NamedSink("mqtt", self.mqtt),
            NamedSink("console", self.console, MOST_EVENTS),
            NamedSink("metrics", self.metrics),
            *_named("events file", self.events_file, MOST_EVENTS),
            NamedSink("systemd", systemd),
        ]

    def frame_sinks(self) -> list[NamedSink[FrameSink]]:
        """Return the frame sinks in the order in which they receive a step. The slowest are last."""
        snapshots = self.snapshots if self.config.mqtt.snapshots else None
        return [
            *_named("snapshots", snapshots),
            *_named("live view", self.view),
            *_named("examples", self.examples),
            *_named("recorder", self.recorder, MOST_FRAMES),
            *_named("window", self.window),
        ]

    def start(self, stack: ExitStack, messages: StartupMessages, *, must_connect: bool) -> None:
        """Start the history, then broker and MQTT, then files and windows. The stack closes them in reverse order.

        `must_connect`: an unreachable broker is an error. Raises HarstreamError.
        """
        if self.history is not None:
            self.history.start()
            stack.callback(self.history.close)
        if self.own_broker is not None:
            stack.enter_context(self.own_broker)
        self.mqtt.start(must_connect=must_connect)
        stack.callback(self.mqtt.close)
        self.announcer.start()
        self.announcer.announce(self._announcements(self.config))
        messages.show(f"MQTT      [bold]{escape(self.broker.url)}[/]  har/{self.config.node}/...")
        self.snapshots.start()
        self._take_snapshots_of(self.config)
        for output in (self.events_file, self.recorder, self.window):
            if output is not None:
                output.start()
                stack.callback(output.close)

    def on_setting(self, setting: CameraControl) -> None:
        self.mqtt.on_setting(setting)
        if self.config.mqtt.snapshots:
            self.snapshots.on_setting(setting)

    def on_config(self, config: Config) -> None:
        """Give each sink the new context. Removed cameras keep their area, because their last messages follow."""
        areas = {**self.mqtt.context.areas, **{camera.name: camera.area for camera in config.cameras}}
        context = replace(self.mqtt.context, areas=areas, titles=config.titles, following=config.following)
        sinks: Iterable[HasContext | None] = (self.mqtt, self.history, self.console, self.events_file)
        for sink in sinks:
            if sink is not None:
                sink.context = context
        if self.view is not None:
            self.view.set_titles(config.titles)
        self.announcer.announce(self._announcements(config))
        self._take_snapshots_of(config)

    def _announcements(self, config: Config) -> Mapping[str, bytes]:
        if config.mqtt.discovery is None:
            return {}
        cameras = [camera.name for camera in config.cameras]
        page = shared_page_url(config.web, self.broker) if config.web.enabled else None
        snapshots = config.mqtt.snapshots
        return announcements(config.mqtt.discovery, self.mqtt.context, cameras, page, snapshots=snapshots)

    def _take_snapshots_of(self, config: Config) -> None:
        """Set the cameras of the snapshots. If snapshots are off, this clears the pictures of earlier runs."""
        self.snapshots.set_cameras(camera.name for camera in config.cameras if config.mqtt.snapshots)


def new_outputs(config: Config, recognizer: Engine, console: Console) -> Outputs:
    """Build the configured outputs without opening them. Raises HarstreamError."""
    contract, state = recognizer.contract, config.state
    context = new_context(config, recognizer, {camera.name: camera.area for camera in config.cameras})
    own_broker = None if config.mqtt.broker else _new_own_broker(config)
    broker = config.mqtt.address
    publisher = new_publisher(broker, Outbox(state / OUTBOX_FILE), config.node, config.mqtt.client_id)
    metrics = _new_metrics(context, recognizer, publisher)
    mqtt = MqttSink(
        publisher,
        context,
        emission=_emission(recognizer, context),
        observations=config.mqtt.observations,
        stats=metrics.summary,
    )
    forecasts = ForecastCache(contract)
    if config.web.enabled:
        forecasts.subscribe(publisher, mqtt.topics)
    return Outputs(
        config,
        broker,
        own_broker,
        publisher,
        HistorySink(state / HISTORY_FILE, context, days=config.history.days) if config.history.enabled else None,
        mqtt,
        Announcer(publisher, broker.url, state / f"{OUTBOX_FILE}.announced"),
        Snapshots(publisher, mqtt.topics, broker.url, state / f"{OUTBOX_FILE}.snapshots"),
        EventLog(context) if config.log == "json" else ConsoleSink(context, console),
        metrics,
        JsonLines(config.events, context) if config.events else None,
        ViewState([camera.name for camera in config.cameras], forecasts.get, titles=config.titles)
        if config.web.enabled
        else None,
        ExampleRecorder() if config.web.enabled and config.web.may_control else None,
        _new_recorder(config.record) if config.record else None,
        _new_window() if config.display else None,
    )


def _new_metrics(context: Context, recognizer: Engine, publisher: Publisher) -> Metrics:
    metrics = Metrics(context, recognizer.provider)
    metrics.watch_broker(lambda: publisher.is_connected, lambda: publisher.counts)
    publisher.set_acknowledgement_handler(metrics.count_acknowledged)
    return metrics


def _new_recorder(path: Path) -> VideoRecorder:
    from harstream.stream.sinks.recorder import VideoRecorder

    return VideoRecorder(path)


def _new_view(config: Config, forecasts: ForecastCache) -> ViewState:
    return ViewState([camera.name for camera in config.cameras], forecasts.get, titles=config.titles)


def _new_own_broker(config: Config) -> EmbeddedBroker:
    from harstream.mqtt.embedded_broker import EmbeddedBroker

    return EmbeddedBroker(config.mqtt.embedded_port)


def _new_window() -> Display:
    from harstream.stream.sinks.display import Display

    return Display()


def _named(name: str, sink: S | None, most_waiting: int | None = None) -> list[NamedSink[S]]:
    return [] if sink is None else [NamedSink(name, sink, most_waiting)]


def _emission(recognizer: Engine, context: Context) -> EmissionMessage | None:
    """Return P(recognized | true) from the report of `evaluate` beside the model; None if there is no report."""
    report = recognizer.files.folder / "report.json"
    if not report.exists():
        return None
    try:
        return EmissionMessage.of(json.loads(report.read_text())["emission"], context)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"expected a report of `harstream evaluate` in {report}, got {reason}: make it again or remove it"
        ) from error
