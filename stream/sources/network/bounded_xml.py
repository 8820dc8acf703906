"""Checks XML that anybody may have sent, before a library makes objects of it."""

from __future__ import annotations

import contextlib
from xml.parsers import expat

DEEPEST, MOST_ELEMENTS = 32, 20_000
"""Elements within each other, and in all. A recorder of 64 cameras needs a third of that."""


class UnboundedXml(ValueError):
    """XML that could keep its reader busy."""


def decoded_xml(data: bytes) -> str:
    """Return the text, with a replacement character for what is not UTF-8. What is no XML is returned as well.

    Raises UnboundedXml for a document type, because it may expand without end, and for too many or too deep elements.
    """
    text = data.decode("utf-8-sig", errors="replace")
    parser, depth, count = expat.ParserCreate(), 0, 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise UnboundedXml("too many elements")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse_type(*_: object) -> None:
        raise UnboundedXml("a document type")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse_type
    with contextlib.suppress(expat.ExpatError):  # the library refuses it as well
        parser.Parse(text, True)
    return text
