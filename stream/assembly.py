"""From configuration to working parts; what is large and not always needed is imported where it is."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from models.contract import ModelContract
from stream import engine
from stream.ahead import ahead
from stream.camera_source import NetworkCamera, Scene, VideoFile, Webcam, parse_source
from stream.clock import Clock
from stream.config import CameraConfig, Config
from stream.connection import BrokerAddress, own_address
from stream.control import Control, Parts
from stream.discovery import announcements
from stream.errors import ConfigError, Misfit, ModelError, SourceError
from stream.foretold import Foretold
from stream.history import FILE as HISTORY_FILE
from stream.lifecycle import tracker_settings
from stream.messages import Event, EventType, Step
from stream.outbox import Outbox
from stream.pipeline import Pipeline
from stream.ports import Engine, EventSink, FrameSink, Recognizer
from stream.reader import NewSource
from stream.service import Service, reloaded_by_signal, stopped_by_signals, without_pixels
from stream.sinks.console import ConsoleSink
from stream.sinks.event_log import EventLog
from stream.sinks.history import HistorySink
from stream.sinks.jsonl import JsonLines
from stream.sinks.metrics import Metrics
from stream.sinks.mqtt import MqttSink
from stream.sinks.snapshots import Snapshots
from stream.sinks.systemd import Systemd
from stream.smoothing import ExponentialMean
from stream.sources.camera import webcam_pictures
from stream.sources.file import FileSource
from stream.sources.pace import Pace
from stream.sources.reconnecting import Pictures, ReconnectingSource
from stream.sources.rtsp import rtsp_pictures
from stream.tracker import Tracker
from stream.wire import Context

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
    _refuse_to_overwrite([Path(camera.source) for camera in config.cameras], config.events, config.record)
    recognizer = engine.load(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    contract = recognizer.contract
    clock, areas = Clock(), {camera.name: camera.area for camera in config.cameras}
    context = _context(config, recognizer, areas)
    parts = Parts(
        source=lambda camera, must_open: _source(camera, clock, must_open=must_open),
        settings=lambda config, camera, threshold: tracker_settings(config, contract, camera, threshold),
        reread=reread,
        is_possible=_check,
        areas=areas,
    )
    for camera in config.cameras:
        parts.source(camera, False)  # a mistake is told before anything is opened
    _say(
        f"model [bold]{contract.name}[/] on [bold]{recognizer.provider}[/]: {len(contract.activities)} activities, "
        f"{contract.frames} frames at {contract.live_rate:g} Hz ({contract.span:.1f} s)",
        config,
        console,
    )
    control = Control(config, parts, config.state / "controls.json")
    stack.callback(control.close)
    # Before anybody is told that the service is there: until then, the signal ends the process.
    stack.enter_context(reloaded_by_signal(lambda: control.ask(lambda: _reload(control, systemd), _refused)))
    history = _history(config, context, stack)
    metrics = Metrics(context, recognizer.provider)
    address = _broker(config, stack)
    foretold = Foretold(contract) if config.web.enabled else None
    mqtt = _mqtt(config, context, address, _emission(recognizer), control, metrics, foretold, stack, console, is_first)
    snapshots = _snapshots(config, mqtt, address, control)
    event_sinks = _event_sinks(config, context, mqtt, metrics, stack, console)
    service = Service(
        new_pipeline(config, recognizer),
        # The history first: were an update sent that it does not know, the end after a kill would have its number.
        ({"history": history} if history else {}) | event_sinks | {"systemd": systemd},
        ({"snapshots": snapshots} if config.mqtt.snapshots else {})
        | _frame_sinks(config, context, recognizer, control, metrics, foretold, stack, console, stop=control.end),
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


def _say(text: str, config: Config, console: Console) -> None:
    """A line of rich's markup for a person; where nothing but JSON is wanted, a record."""
    if config.log == "text":
        console.print(text)
    else:
        log.info("%s", " ".join(Text.from_markup(text).plain.split()))


def _check(config: Config) -> None:
    """Raises HarstreamError where `assemble` would, as far as that can be told while another service has the ports."""
    _refuse_to_overwrite([Path(camera.source) for camera in config.cameras], config.events, config.record)
    tracker_settings(config, engine.load(config.model, config.device).contract)


def _reload(control: Control, systemd: Systemd) -> None:
    systemd.reload()
    try:
        log.info("config reloaded: %s", control.reload())
    finally:
        if not control.begins_anew:
            systemd.reloaded()


def _refused(why: str) -> None:
    log.error("config not taken, going on as before: %s", why)


def replay(
    config: Config, videos: Sequence[Path], events: Path | None, record: Path | None, console: Console
) -> Iterator[tuple[Path, list[Event]]]:
    """Run each video through the pipeline of `run`, as fast as it goes; yield the ends of its activities."""
    _refuse_to_overwrite(videos, events, record)
    recognizer = engine.load(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    with ExitStack() as stack:
        sinks: list[Callable[[Step], None]] = []
        if events:
            jsonl = JsonLines(events, _context(config, recognizer, {}))
            jsonl.start()
            stack.callback(jsonl.close)
            sinks.append(without_pixels(jsonl))
        if record:
            sinks.append(_recorder(record, recognizer.contract, stack).show)
        progress = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
        for video, camera in zip(videos, _camera_names(videos), strict=True):
            task = progress.add_task(video.name, total=None)
            ended = []
            for step in _replayed(config, recognizer, video, camera):
                for sink in sinks:
                    sink(step)
                ended += [event for event in step.notice.events if event.type is EventType.END]
            progress.update(task, total=1, completed=1)
            yield video, ended


def _replayed(config: Config, recognizer: Engine, video: Path, camera: str) -> Iterator[Step]:
    source = FileSource(camera, video, Pace(), threading.Event())
    return new_pipeline(config, recognizer).steps([item] for item in ahead(source.frames()))


def new_pipeline(config: Config, recognizer: Recognizer) -> Pipeline:
    """Raises ConfigError when the config does not fit the model."""
    settings = tracker_settings(config, recognizer.contract)
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings),
        smoothing=lambda: ExponentialMean(config.activities.smoothing),
        stride=config.stride,
    )


def _source(camera: CameraConfig, clock: Clock, *, must_open: bool) -> NewSource:
    """Raises SourceError for a file that is not there."""
    live = partial(_live, camera.name, clock, must_open)
    match parse_source(camera.source):
        case Webcam(index):
            return live(partial(webcam_pictures, index, clock))
        case NetworkCamera(url):
            return live(partial(rtsp_pictures, url, clock))
        case Scene(seed, seconds):
            from stream.sources.scene import SceneSource

            return partial(SceneSource, camera.name, Pace(clock), seed=seed, seconds=seconds)
        case VideoFile(path) as file:
            try:
                file.must_exist()
            except Misfit as error:
                raise SourceError(f"camera {camera.name}: {error}") from error
            return partial(FileSource, camera.name, path, Pace(clock))


def _live(camera: str, clock: Clock, must_open: bool, open_pictures: Callable[[], Pictures]) -> NewSource:
    return lambda stopping: ReconnectingSource(camera, open_pictures, clock, stopping, must_open=must_open)


def _mqtt(
    config: Config,
    context: Context,
    address: BrokerAddress,
    emission: Mapping[str, object] | None,
    control: Control,
    metrics: Metrics,
    foretold: Foretold | None,
    stack: ExitStack,
    console: Console,
    is_first: bool,
) -> MqttSink:
    mqtt = MqttSink(
        address,
        context=context,
        outbox=Outbox(config.state / "outbox.sqlite"),
        emission=emission,
        observations=config.mqtt.observations,
        controls=control,
        stats=metrics.summary,
        foretold=foretold,
    )
    sender = mqtt.sender
    metrics.watch_broker(lambda: sender.is_connected, waiting=lambda: sender.waiting, lost=lambda: sender.lost)
    sender.measure(metrics.acknowledged)
    mqtt.start(must_connect=is_first)
    stack.callback(mqtt.close)
    mqtt.announce(_announcements(config, context, address))
    control.listen(mqtt.show)
    control.follow(lambda taken: mqtt.announce(_announcements(taken, context, address)))
    _say(f"MQTT      [bold]{address.url}[/]  har/{config.node}/...", config, console)
    return mqtt


def _snapshots(config: Config, mqtt: MqttSink, address: BrokerAddress, control: Control) -> Snapshots:
    """Also where they are off: those of an earlier run are taken back."""

    def take(config: Config) -> None:
        snapshots.take([camera.name for camera in config.cameras] if config.mqtt.snapshots else ())

    snapshots = Snapshots(mqtt.sender, mqtt.topics, address.url, config.state / "outbox.sqlite.snapshots")
    snapshots.start()
    take(config)
    control.follow(take)
    return snapshots


def _event_sinks(
    config: Config, context: Context, mqtt: MqttSink, metrics: Metrics, stack: ExitStack, console: Console
) -> dict[str, EventSink]:
    told = EventLog(context) if config.log == "json" else ConsoleSink(context, console)
    sinks: dict[str, EventSink] = {"mqtt": mqtt, "console": told, "metrics": metrics}
    if config.events:
        jsonl = JsonLines(config.events, context)
        jsonl.start()
        stack.callback(jsonl.close)
        sinks["events file"] = jsonl
    return sinks


def _announcements(config: Config, context: Context, broker: BrokerAddress) -> Mapping[str, bytes]:
    if config.mqtt.discovery is None:
        return {}
    cameras = [camera.name for camera in config.cameras]
    page = _page(config, broker)
    return announcements(config.mqtt.discovery, context, cameras, page, snapshots=config.mqtt.snapshots)


def _page(config: Config, broker: BrokerAddress) -> str | None:
    """The live view's URL for others than this machine; None where they cannot open it, or nobody knows its name."""
    host, port = config.web.host, config.web.port
    if not config.web.enabled or not port:
        return None
    if host in ("", "0.0.0.0", "::"):
        host = own_address(broker) or "localhost"
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return None
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _history(config: Config, context: Context, stack: ExitStack) -> HistorySink | None:
    if not config.history.enabled:
        return None
    history = HistorySink(config.state / HISTORY_FILE, context, days=config.history.days)
    history.start()
    stack.callback(history.close)
    return history


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


def _broker(config: Config, stack: ExitStack) -> BrokerAddress:
    if config.mqtt.broker:
        return BrokerAddress.parse(config.mqtt.broker)
    from stream.broker import EmbeddedBroker

    return stack.enter_context(EmbeddedBroker(config.mqtt.embedded_port)).address


def _frame_sinks(
    config: Config,
    context: Context,
    recognizer: Engine,
    control: Control,
    metrics: Metrics,
    foretold: Foretold | None,
    stack: ExitStack,
    console: Console,
    stop: Callable[[], None],
) -> dict[str, FrameSink]:
    sinks: dict[str, FrameSink] = {}
    if config.web.enabled:
        from stream.sinks.live_view import LOOPBACK, LiveView

        may_control = config.web.host in LOOPBACK if config.web.control is None else config.web.control
        view = LiveView(
            contract=recognizer.contract,
            cameras=[camera.name for camera in config.cameras],
            version=context.version,
            provider=recognizer.provider,
            host=config.web.host,
            port=config.web.port,
            history=config.state / HISTORY_FILE if config.history.enabled else None,
            controls=control if may_control else None,
            metrics=metrics.text,
        )
        if foretold is not None:
            foretold.follow(view.foretell)
        view.start()
        stack.callback(view.close)
        _say(f"live view [bold]{view.url}[/]", config, console)
        sinks["live view"] = view
    if config.record:
        sinks["recorder"] = _recorder(config.record, recognizer.contract, stack)
    if config.display:
        from stream.sinks.display import Display

        window = Display(recognizer.contract, stop)
        window.start()
        stack.callback(window.close)
        sinks["window"] = window
    return sinks


def _refuse_to_overwrite(watched: Sequence[Path], *outputs: Path | None) -> None:
    files = {path.resolve() for path in watched if path.is_file()}
    for output in outputs:
        if output is not None and output.resolve() in files:
            raise ConfigError(f"{output} is what is watched: choose another file for what is written")


def _recorder(path: Path, contract: ModelContract, stack: ExitStack) -> FrameSink:
    from stream.sinks.video import VideoRecorder

    recorder = VideoRecorder(path, contract)
    recorder.start()
    stack.callback(recorder.close)
    return recorder


def _context(config: Config, recognizer: Engine, areas: Mapping[str, str | None]) -> Context:
    return Context(
        node=config.node,
        areas=areas,
        contract=recognizer.contract,
        model_sha256=recognizer.files.sha256(),
        version=version("harstream"),
        stride_s=config.stride / recognizer.contract.live_rate,
    )


def _camera_names(videos: Sequence[Path]) -> list[str]:
    """Names of cameras, safe in topics, from those of files; none twice."""
    names: list[str] = []
    for video in videos:
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in video.stem)[:60] or "file"
        candidates = chain([safe], (f"{safe}_{number}" for number in count(2)))
        names.append(next(name for name in candidates if name not in names))
    return names
