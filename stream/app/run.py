"""`harstream run`: watches cameras and publishes what people do."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from harstream.command_line.options import with_options
from harstream.stream.app.run_options import RunOptions
from harstream.stream.app.terminal import console, one_line_errors
from harstream.stream.config.model import Config
from harstream.stream.service.log import log_to_stderr
from harstream.wire.errors import ConfigFileError, HarstreamError
from harstream.wire.masking import Secrets

log = logging.getLogger(__name__)


@with_options(options=RunOptions)
def run(*, options: Mapping[str, Any]) -> None:
    """Watch cameras and publish what people do, until all recordings end or Ctrl-C."""
    chosen = RunOptions(**options).with_config_found()
    with one_line_errors():
        secrets = Secrets()
        log_to_stderr(chosen.log or "text", verbose=chosen.verbose, secrets=secrets)
        _serve(chosen, _first_config(chosen, secrets), secrets)


def _first_config(options: RunOptions, secrets: Secrets) -> Config:
    try:
        return options.read(secrets)
    except ConfigFileError as error:
        if options.log is None and error.log == "json":
            log_to_stderr("json", verbose=options.verbose, secrets=secrets)
        raise


def _serve(options: RunOptions, config: Config, secrets: Secrets) -> None:
    """Run a service, and run it again after each restart, until it ends for good."""
    import cv2

    from harstream.stream.app.assembly.service import build_service
    from harstream.stream.service.signals import RunSignals
    from harstream.stream.sinks.systemd import Systemd

    read = partial(options.read, secrets)
    cv2.setNumThreads(1)  # every camera has a thread already, and one more would start with the first that shakes
    earlier: Config | None = None
    with RunSignals() as signals:
        while not signals.is_stopping:
            log_to_stderr(config.log, verbose=options.verbose, secrets=secrets)
            with ExitStack() as stack:
                try:
                    systemd = Systemd(os.environ.get("NOTIFY_SOCKET", ""))
                    service = build_service(config, console, systemd, read)
                    service.start(stack, signals, is_first=earlier is None)
                except HarstreamError as error:
                    if earlier is None or earlier == config:
                        raise
                    log.error("the new configuration fails, the previous one is used again: %s", error)
                    config = earlier
                    continue
                is_restart = service.run()
            if not is_restart:
                return
            earlier = config
            try:
                config = read()
            except HarstreamError as error:
                log.error("the configuration cannot be read, the previous one is used again: %s", error)
