"""`harstream listen`: prints messages from the broker."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors


def listen(
    config: ConfigOption = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtt://[user:password@]host[:port]. Default: the configuration's broker.")
    ] = None,
    node: Annotated[str, typer.Option(help="Only this node.")] = "+",
    observations: Annotated[bool, typer.Option("--observations", help="Print every observation, too.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the events' JSON, one per line.")] = False,
) -> None:
    """Print messages from the broker, coloured by activity, until Ctrl-C."""
    with one_line_errors():
        from harstream.mqtt.address import BrokerAddress
        from harstream.stream.app.listener import Listener, Printer, topics_of
        from harstream.stream.service.signals import stop_on_signals

        url = broker or read_config(config, keys=("mqtt",)).mqtt.url
        topics = topics_of(node, observations=observations, raw=raw)
        listener = Listener(BrokerAddress.parse(url), topics, Printer(Console(highlight=False), raw=raw))
        with stop_on_signals(listener.stop):  # Python may drop a KeyboardInterrupt, but not this call
            listener.run()
