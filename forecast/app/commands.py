"""`harstream forecast`: publishes what people do next, and shows and forgets what it has learned."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.config.model import Config
from harstream.wire.errors import ConfigError

forecast = typer.Typer(no_args_is_help=True, help="Predict what people do next.")
console = Console(highlight=False, soft_wrap=True)

KEYS = ("mqtt", "node", "state", "log")
"""The keys of config.yaml that a forecaster needs. The others may hold secrets."""
StateOption = Annotated[
    Path | None, typer.Option(help="The folder of the diary. Default: `forecast` in the configuration's `state`.")
]
NodeOption = Annotated[str | None, typer.Option(help="The node to follow. Default: the configuration's.")]


@forecast.command()
def run(
    config: ConfigOption = None,
    broker: Annotated[
        str | None,
        typer.Option(help="mqtt://[user:password@]host[:port], mqtts, ws or wss. Default: the configuration's broker."),
    ] = None,
    node: NodeOption = None,
    predictor: Annotated[
        Literal["mix", "hmm", "dbn", "baseline"],
        typer.Option(help="mix weighs the others by how well they did so far."),
    ] = "mix",
    zone: Annotated[
        str | None, typer.Option(help="The home's time zone, such as Europe/Berlin. Default: this machine's.")
    ] = None,
    state: StateOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a broker that cannot be reached yet.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also log the details.")] = False,
) -> None:
    """Follow a node over MQTT and publish what is expected next, until Ctrl-C."""
    with one_line_errors():
        from harstream.forecast.client.service import ForecastService, Settings
        from harstream.stream.config.file import with_overrides
        from harstream.stream.service.log import log_to_stderr
        from harstream.stream.service.signals import stop_on_signals
        from harstream.wire.masking import Secrets

        chosen = read_config(config, keys=KEYS)
        if broker:
            chosen = with_overrides(chosen, {"mqtt": chosen.mqtt.with_broker(broker)})
        secrets = Secrets()
        secrets.add(chosen.addresses, chosen.secrets)
        log_to_stderr(chosen.log, verbose=verbose, secrets=secrets)
        folder, discovery = _folder(state, chosen), chosen.mqtt.discovery
        settings = Settings(node or chosen.node, predictor, _zone(zone), folder, discovery, waits=wait)
        service = ForecastService(chosen.mqtt.address, settings)
        with stop_on_signals(service.stop):
            service.run()


@forecast.command()
def forget(
    config: ConfigOption = None,
    camera: Annotated[str | None, typer.Option(help="Only what this camera saw.")] = None,
    before: Annotated[
        str | None, typer.Option(help='Only what began before: 30d (ago), 2026-11-20, "2026-11-20 14:00".')
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget everything.")] = False,
    state: StateOption = None,
) -> None:
    """Delete what was learned, for example when a camera has moved to another room."""
    with one_line_errors():
        import time

        from harstream.forecast.client.diary import FILE, Diary
        from harstream.stream.history.time_parsing import parse_time

        if not (camera or before or everything):
            raise ConfigError("expected --camera, --before or --all, got none: say what to forget")
        folder = _folder(state, read_config(config, keys=KEYS))
        if not (folder / FILE).exists():
            raise ConfigError(f"there is no diary in {folder}: `harstream forecast run` creates one")
        try:
            limit = None if before is None else parse_time(before, time.time())
        except ValueError as error:
            raise ConfigError(f"--before: {error}") from error
        diary = Diary(folder / FILE)
        diary.start()
        try:
            console.print(f"forgot {diary.forget(camera=camera, before=limit)} activities")
        finally:
            diary.close()


def _folder(state: Path | None, config: Config) -> Path:
    return state or config.state / "forecast"


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"--zone: expected a time zone such as Europe/Berlin, got {name!r}") from None
