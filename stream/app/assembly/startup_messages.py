"""Prints the lines at the start of `run` on the terminal, or logs them."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.text import Text

from harstream.stream.service.log import Style

log = logging.getLogger(__name__)


class StartupMessages:
    """Prints each line on the console, or logs it if the log is JSON."""

    def __init__(self, console: Console, style: Style) -> None:
        self._console = console
        self._style = style

    def show(self, text: str) -> None:
        """Print a line with rich's markup. With the style `json`, log it as plain text instead."""
        if self._style == "text":
            self._console.print(text)
        else:
            log.info("%s", " ".join(Text.from_markup(text).plain.split()))
