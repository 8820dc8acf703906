"""A renewed certificate is shown to new clients of a real TLS server."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from harstream.stream.config.web import WebTls
from harstream.stream.web.certificate import Certificate
from harstream.wire.errors import Misfit
from tests.support.certificates import Authority
from tests.support.certificates import Certificate as Files


def copy(source: Path, target: Path) -> None:
    target.write_text(source.read_text())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.05)


def test_new_clients_see_the_renewed_certificate_and_a_wrong_key_changes_nothing(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = authority.sign("first"), authority.sign("second")
    used = Files(tmp_path / "used.pem", tmp_path / "used.key")
    copy(first.file, used.file)
    copy(first.key, used.key)

    async def run() -> None:
        certificate = Certificate(WebTls(certificate=used.file, key=used.key))
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certificate.context)
        watching = asyncio.create_task(certificate.watch(0.05))

        async def shown() -> str:
            return await asyncio.to_thread(ssl.get_server_certificate, server.sockets[0].getsockname())

        assert await shown() == first.file.read_text()
        copy(second.file, used.file)  # the key does not fit yet
        await until(lambda: "the old one is kept" in caplog.text)
        assert await shown() == first.file.read_text()
        copy(second.key, used.key)
        await until(lambda: "was read again" in caplog.text)
        assert await shown() == second.file.read_text()
        watching.cancel()
        server.close()

    asyncio.run(run())


def test_a_missing_file_is_an_error_of_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misfit):
        Certificate(WebTls(certificate=tmp_path / "none.pem", key=tmp_path / "none.key"))
