"""The lines that `run` prints at its start: for a person on the terminal, or as records of the log."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.text import Text

from harstream.stream.service.log import Style

log = logging.getLogger(__name__)


class Greeting:
    def __init__(self, console: Console, style: Style) -> None:
        self._console = console
        self._style = style

    def say(self, text: str) -> None:
        """Print a line of rich's markup. With the style `json`, log it as plain text instead."""
        if self._style == "text":
            self._console.print(text)
        else:
            log.info("%s", " ".join(Text.from_markup(text).plain.split()))
