from __future__ import annotations

import pytest

from harstream.stream.web.access.same_origin import is_same_host


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "nuc1:8080", True),
        ("http://nuc1:8080", "nuc1:8080", True),
        ("http://NUC1:8080", "nuc1:8080", True),
        ("http://nuc1:8080", "nuc1", False),
        ("https://evil.example", "nuc1:8080", False),
        ("http://nuc1:8080.evil.example", "nuc1:8080", False),
        ("null", "nuc1:8080", False),
        ("http://nuc1:8080", None, False),
        ("http://[::1", "[::1", False),
    ],
)
def test_only_the_servers_own_page_and_programs_have_the_same_origin(
    origin: str | None, host: str | None, expected: bool
) -> None:
    assert is_same_host(origin, host) is expected
