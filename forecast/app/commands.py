"""`harstream forecast`: publishes what people do next, learns, forgets, explains and measures."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.console import Console

from harstream.forecast.app.evaluate import evaluate
from harstream.forecast.app.explain import explain
from harstream.forecast.app.options import (
    KEYS,
    StateOption,
    StructureOption,
    ZoneOption,
    existing_diary,
    folder_of,
    structure_of,
    zone_of,
)
from harstream.forecast.app.simulate import simulate
from harstream.forecast.app.train import train
from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.wire.errors import ConfigError

forecast = typer.Typer(no_args_is_help=True, help="Predict what people do next.")
forecast.command()(evaluate)
forecast.command()(train)
forecast.command()(explain)
forecast.command()(simulate)
console = Console(highlight=False, soft_wrap=True)

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
    scope: Annotated[
        Literal["camera", "home"],
        typer.Option(help="camera: each camera sees a person of its own. home: all cameras together see one person."),
    ] = "camera",
    structure: StructureOption = None,
    zone: ZoneOption = None,
    state: StateOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a broker that cannot be reached yet.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also log the details.")] = False,
) -> None:
    """Follow a node over MQTT and publish what is expected next, until Ctrl-C."""
    with one_line_errors():
        from harstream.forecast.client.learned import ForecasterSettings, Scope
        from harstream.forecast.client.service import ForecastService, Settings
        from harstream.stream.config.file import with_overrides
        from harstream.stream.service.log import log_to_stderr
        from harstream.stream.service.signals import stop_on_signals
        from harstream.wire.masking import Secrets

        chosen = read_config(config, keys=KEYS)
        if broker:
            chosen = with_overrides(chosen, {"mqtt": chosen.mqtt.with_broker(broker)})
        if node is not None:
            chosen = with_overrides(chosen, {"node": node}, options={("node",): ("--node", node)})
        secrets = Secrets()
        secrets.add(chosen.addresses, chosen.secrets)
        log_to_stderr(chosen.log, verbose=verbose, secrets=secrets)
        folder, discovery = folder_of(state, chosen), chosen.mqtt.discovery
        forecaster = ForecasterSettings(chosen.node, Scope(scope), predictor, zone_of(zone), structure_of(structure))
        settings = Settings(forecaster, folder, discovery, waits=wait)
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

        from harstream.stream.history.time_parsing import parse_time

        if not (camera or before or everything):
            raise ConfigError("expected --camera, --before or --all, got none: say what to forget")
        diary = existing_diary(folder_of(state, read_config(config, keys=KEYS)))
        try:
            limit = None if before is None else parse_time(before, time.time())
        except ValueError as error:
            raise ConfigError(f"--before: {error}") from error
        diary.start()
        try:
            console.print(f"forgot {diary.forget(camera=camera, before=limit)} activities")
        finally:
            diary.close()
