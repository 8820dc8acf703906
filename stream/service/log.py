"""The log on stderr: text, or one JSON object per line for a log store."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Literal

from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.logging import RichHandler

from harstream.wire.masking import Secrets, masked
from harstream.wire.timestamps import timestamp

Style = Literal["text", "json"]
FIELDS = {"asctime": "time", "levelname": "level", "name": "logger", "message": "message", "exc_info": "error"}
"""A record's fields and their names in JSON. `extra` adds fields such as `camera`."""
STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
log = logging.getLogger(__name__)


def log_to_stderr(style: Style = "text", *, verbose: bool = False, secrets: Secrets) -> None:
    """Set up the log. A second call may change the style. No line contains a password of an address, or a secret.

    Unhandled exceptions are logged, too. With JSON, warnings become records, so that stderr receives only JSON.
    """
    handler = _handler(style)
    handler.addFilter(_HideSecrets(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("harstream", "__main__"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns about every page that a user closes
    logging.captureWarnings(style == "json")
    sys.excepthook = _log_exception
    threading.excepthook = _log_thread_exception


def print_error(message: str) -> None:
    """Print the reason for the program's end, in red, or as a record if the log is JSON."""
    if any(isinstance(handler.formatter, _Json) for handler in logging.getLogger().handlers):
        log.error("%s", message)
    else:
        Console(stderr=True, soft_wrap=True).print(masked(message), style="red", markup=False, highlight=False)


class _HideSecrets(logging.Filter):
    """Masks the message, the traceback and the extra fields of each record."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._mask = secrets.mask

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._mask(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_info, record.exc_text = None, self._mask(record.exc_text)
        for key, value in record.__dict__.items():
            if key not in STANDARD_FIELDS and isinstance(value, str):
                setattr(record, key, self._mask(value))
        return True


class _Json(JsonFormatter):
    def __init__(self) -> None:
        always = [field for field in FIELDS if field != "exc_info"]
        super().__init__(always, rename_fields=FIELDS, json_ensure_ascii=False)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return timestamp(record.created)


def _handler(style: Style) -> logging.Handler:
    if style == "text" and sys.stderr.isatty():
        return RichHandler(
            console=Console(stderr=True), show_path=False, log_time_format="%H:%M:%S", markup=False
        )  # fmt: skip
    handler = logging.StreamHandler()
    # One line per record, of any length, for a file or the journal.
    text = logging.Formatter("%(asctime)s %(levelname)-8s %(message)s", "%H:%M:%S")
    handler.setFormatter(_Json() if style == "json" else text)
    return handler


def _log_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    log.critical("internal error", exc_info=(kind, error, traceback))


def _log_thread_exception(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not issubclass(failure.exc_type, SystemExit):
        _log_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
