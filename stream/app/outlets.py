"""Where what is recognized goes: from configuration to the sinks of `harstream run`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from harstream.mqtt.address import BrokerAddress, own_address
from harstream.mqtt.outbox import FILE as OUTBOX_FILE
from harstream.mqtt.outbox import Outbox
from harstream.stream.app.parts import new_recorder
from harstream.stream.config.model import Config
from harstream.stream.history.sink import HistorySink
from harstream.stream.history.store import FILE as HISTORY_FILE
from harstream.stream.recognition.protocols import Engine
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.protocols import EventSink, FrameSink
from harstream.stream.sinks.console import ConsoleSink
from harstream.stream.sinks.event_log import EventLog
from harstream.stream.sinks.jsonl import JsonLines
from harstream.stream.sinks.metrics import Metrics
from harstream.stream.sinks.mqtt import MqttSink
from harstream.stream.sinks.snapshots import Snapshots
from harstream.stream.web.forecast_cache import ForecastCache
from harstream.wire.context import Context
from harstream.wire.errors import ModelError
from harstream.wire.home_assistant import announcements
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outlets:
    """Opens what the configuration asks for, each on the stack, which closes it. Its methods raise HarstreamError."""

    config: Config
    context: Context
    recognizer: Engine
    control: CameraSettings
    stack: ExitStack
    console: Console

    def open(self, *, must_connect: bool) -> tuple[dict[str, EventSink], dict[str, FrameSink], HistorySink | None]:
        """The sinks by their names in the log, and the history where one is kept. `must_connect`: a broker that cannot
        be reached is an error."""
        history, metrics = self._history(), Metrics(self.context, self.recognizer.provider)
        forecasts = ForecastCache(self.context.contract) if self.config.web.enabled else None
        address = self._broker()
        mqtt = self._mqtt(address, metrics, forecasts, must_connect=must_connect)
        snapshots = self._snapshots(mqtt, address)
        # The history first: were an update sent that it does not know, the end after a kill would have its number.
        events: dict[str, EventSink] = {"history": history} if history else {}
        events |= {"mqtt": mqtt, "console": self._told(), "metrics": metrics} | self._events_file()
        frames: dict[str, FrameSink] = {"snapshots": snapshots} if self.config.mqtt.snapshots else {}
        return events, frames | self._live_view(metrics, forecasts, mqtt) | self._recorder() | self._window(), history

    def say(self, text: str) -> None:
        """A line of rich's markup for a person; where nothing but JSON is wanted, a record."""
        if self.config.log == "text":
            self.console.print(text)
        else:
            log.info("%s", " ".join(Text.from_markup(text).plain.split()))

    def _history(self) -> HistorySink | None:
        if not self.config.history.enabled:
            return None
        history = HistorySink(self.config.state / HISTORY_FILE, self.context, days=self.config.history.days)
        history.start()
        self.stack.callback(history.close)
        return history

    def _broker(self) -> BrokerAddress:
        if self.config.mqtt.broker:
            return BrokerAddress.parse(self.config.mqtt.broker)
        from harstream.mqtt.embedded_broker import EmbeddedBroker

        return self.stack.enter_context(EmbeddedBroker(self.config.mqtt.embedded_port)).address

    def _mqtt(
        self, address: BrokerAddress, metrics: Metrics, forecasts: ForecastCache | None, *, must_connect: bool
    ) -> MqttSink:
        mqtt = MqttSink(
            address,
            context=self.context,
            outbox=Outbox(self.config.state / OUTBOX_FILE),
            emission=_emission(self.recognizer),
            observations=self.config.mqtt.observations,
            controls=self.control,
            stats=metrics.summary,
            on_forecast=forecasts.hear if forecasts else None,
        )
        publisher = mqtt.publisher
        metrics.watch_broker(
            lambda: publisher.is_connected, waiting=lambda: publisher.waiting, lost=lambda: publisher.lost
        )
        publisher.measure(metrics.acknowledged)
        mqtt.start(must_connect=must_connect)
        self.stack.callback(mqtt.close)
        mqtt.announce(_announcements(self.config, self.context, address))
        self.control.listen(mqtt.show)
        self.control.follow(lambda taken: mqtt.announce(_announcements(taken, self.context, address)))
        self.say(f"MQTT      [bold]{escape(address.url)}[/]  har/{self.config.node}/...")
        return mqtt

    def _snapshots(self, mqtt: MqttSink, address: BrokerAddress) -> Snapshots:
        """Also where they are off: those of an earlier run are taken back."""
        watched = {camera.name for camera in self.config.cameras}

        def take() -> None:
            snapshots.take(watched if self.config.mqtt.snapshots else ())

        def show(control: CameraControl) -> None:
            (watched.add if control.is_enabled else watched.discard)(control.camera)
            take()

        def follow(taken: Config) -> None:
            watched.intersection_update(camera.name for camera in taken.cameras)
            take()

        snapshots = Snapshots(mqtt.publisher, mqtt.topics, address.url, self.config.state / f"{OUTBOX_FILE}.snapshots")
        snapshots.start()
        take()  # all at once: one by one, the pictures of those that come later would be taken back
        self.control.listen(show)
        self.control.follow(follow)
        return snapshots

    def _told(self) -> EventSink:
        return EventLog(self.context) if self.config.log == "json" else ConsoleSink(self.context, self.console)

    def _events_file(self) -> dict[str, EventSink]:
        if not self.config.events:
            return {}
        jsonl = JsonLines(self.config.events, self.context)
        jsonl.start()
        self.stack.callback(jsonl.close)
        return {"events file": jsonl}

    def _live_view(self, metrics: Metrics, forecasts: ForecastCache | None, mqtt: MqttSink) -> dict[str, FrameSink]:
        web = self.config.web
        if not web.enabled:
            return {}
        from harstream.stream.web.live_view import LOOPBACK, LiveView

        may_control = web.host in LOOPBACK if web.control is None else web.control
        view = LiveView(
            contract=self.context.contract,
            cameras=[camera.name for camera in self.config.cameras],
            version=self.context.version,
            provider=self.recognizer.provider,
            host=web.host,
            port=web.port,
            history=self.config.state / HISTORY_FILE if self.config.history.enabled else None,
            controls=self.control if may_control else None,
            metrics=metrics.text,
            forecast=forecasts.of if forecasts else lambda _: None,
            has_broker=lambda: mqtt.publisher.is_connected,
        )
        view.start()
        self.stack.callback(view.close)
        self.say(f"live view [bold]{escape(view.url)}[/]")
        return {"live view": view}

    def _recorder(self) -> dict[str, FrameSink]:
        if not self.config.record:
            return {}
        return {"recorder": new_recorder(self.config.record, self.context.contract, self.stack)}

    def _window(self) -> dict[str, FrameSink]:
        if not self.config.display:
            return {}
        from harstream.stream.sinks.display import Display

        window = Display(self.context.contract, self.control.end)
        window.start()
        self.stack.callback(window.close)
        return {"window": window}


def _announcements(config: Config, context: Context, broker: BrokerAddress) -> Mapping[str, bytes]:
    if config.mqtt.discovery is None:
        return {}
    cameras = [camera.name for camera in config.cameras]
    page = page_for_others(config, broker)
    return announcements(config.mqtt.discovery, context, cameras, page, snapshots=config.mqtt.snapshots)


def page_for_others(config: Config, broker: BrokerAddress) -> str | None:
    """The live view's URL for others than this machine; None where they cannot open it, or nobody knows its name."""
    host, port = config.web.host, config.web.port
    if not config.web.enabled or not port:
        return None
    if host in ("", "0.0.0.0", "::"):
        host = own_address(broker) or "localhost"
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return None
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _emission(recognizer: Engine) -> Mapping[str, object] | None:
    """P(recognized | true) from the report that `evaluate` left beside the model; None for a model without one."""
    report = recognizer.files.folder / "report.json"
    if not report.exists():
        return None
    try:
        emission: Mapping[str, object] = json.loads(report.read_text())["emission"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"expected a report of `harstream evaluate` in {report}: {error!r}; make it anew or remove it"
        ) from error
    return emission
