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
        str | None,
        typer.Option(help="mqtt://[user:password@]host[:port], mqtts, ws or wss. Default: the configuration's broker."),
    ] = None,
    node: Annotated[str | None, typer.Option(help="Only this node. Default: all nodes.")] = None,
    observations: Annotated[bool, typer.Option("--observations", help="Print every observation, too.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the events' JSON, one per line.")] = False,
) -> None:
    """Print messages from the broker, coloured by activity, until Ctrl-C."""
    with one_line_errors():
        from harstream.mqtt.broker.tls import warn_if_insecure
        from harstream.stream.app.listener import Listener, Printer, topics_of
        from harstream.stream.config.file import with_overrides
        from harstream.stream.service.signals import stop_on_signals

        chosen = read_config(config, keys=("mqtt",))
        if broker:
            chosen = with_overrides(chosen, {"mqtt": chosen.mqtt.with_broker(broker)})
        if node is not None:
            chosen = with_overrides(chosen, {"node": node}, options={("node",): ("--node", node)})
        address = chosen.mqtt.address
        warn_if_insecure(address)
        topics = topics_of(node or "+", observations=observations, raw=raw)
        listener = Listener(address, topics, Printer(Console(highlight=False), raw=raw))
        with stop_on_signals(listener.stop):  # Python may drop a KeyboardInterrupt, but not this call
            listener.run()
