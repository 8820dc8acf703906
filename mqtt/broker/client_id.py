"""Stores the MQTT client id of this node in a file."""

from __future__ import annotations

import logging
import re
import secrets
from pathlib import Path

from harstream.resilience.failing_disk import is_failing_disk
from harstream.resilience.set_aside import set_aside
from harstream.resilience.whole_file import write_whole
from harstream.wire.errors import SinkError

log = logging.getLogger(__name__)

# MQTT 3.1.1 guarantees only 23 letters and digits.
CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,23}")


def load_or_create_client_id(file: Path) -> str:
    """Return the id in the file, or write a new one. A file without an id is set aside. Raises SinkError.

    With a new id per run, a broker would not know that the last run's client is gone. While the disk fails, the new id
    is for one run.
    """
    new = f"har{secrets.token_hex(8)}"
    try:
        kept = file.read_bytes().decode(errors="replace").strip() if file.exists() else ""
        if CLIENT_ID.fullmatch(kept):
            return kept
        if kept:
            log.warning("the MQTT client id in %s cannot be read: it is moved to %s", file, set_aside(file))
        write_whole(file, f"{new}\n")
    except OSError as error:
        if not is_failing_disk(error):
            raise SinkError(f"expected to keep the MQTT client id in {file}, got: {error}") from error
    return new
