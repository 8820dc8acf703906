"""Takes up a renewed certificate without a restart."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from harstream.resilience.outage import Outage
from harstream.stream.config.web import WebTls
from harstream.wire.errors import Misfit

CHECKS = 60.0
"""Seconds between two looks at the files."""

log = logging.getLogger(__name__)


class Certificate:
    """The server's certificate and key. Connections that are open keep the old one."""

    def __init__(self, tls: WebTls) -> None:
        """Read the files. Raises Misfit."""
        self._tls = tls
        self._read = _stamps(tls)
        self.context: ssl.SSLContext = tls.context()
        """The context of the server. It always holds the newest certificate that fits its key."""
        self._outage = Outage(log, "the renewed certificate", begins="%s cannot be used, the old one is kept: %s")

    async def watch(self, every: float = CHECKS) -> None:
        """Read the files again after each change, until cancelled."""
        while True:
            await asyncio.sleep(every)
            if (found := _stamps(self._tls)) != self._read:
                self._read = found
                self._renew()

    def _renew(self) -> None:
        try:
            self._tls.context()  # a failed attempt would leave the server's own context without a key
            self.context.load_cert_chain(self._tls.certificate, self._tls.key)
        except (Misfit, OSError) as error:
            self._outage.record_failure(error)
        else:
            self._outage.record_success()
            log.info("the certificate was read again")


def _stamps(tls: WebTls) -> list[int]:
    """Return the times of the last changes, in nanoseconds. A missing file has 0."""
    return [_stamp(path) for path in (tls.certificate, tls.key)]


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
