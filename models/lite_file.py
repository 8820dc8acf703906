"""The end of a TFLite file, where the format keeps a model's attached files as a zip archive."""

from __future__ import annotations

import io
from zipfile import ZipFile

from harstream.models.contract import CONTRACT_KEY, ModelContract


def append_contract(content: bytes, contract: ModelContract) -> bytes:
    """Return the content of a TFLite file with the contract at its end. Interpreters ignore it."""
    file = io.BytesIO(content)
    with ZipFile(file, "a") as attached:
        attached.writestr(CONTRACT_KEY, contract.to_json())
    return file.getvalue()
