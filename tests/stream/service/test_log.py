"""The JSON log contains errors and warnings that would otherwise be plain text on stderr."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
IN_A_THREAD = "import threading\nthread = threading.Thread(target=fail, name='reader')\nthread.start()\nthread.join()"


def records(program: str) -> list[dict[str, Any]]:
    """Runs a program and returns its JSON log records."""
    begin = "import logging\nfrom harstream.stream.service.log import *\n"
    begin += "secrets = Secrets()\nlog_to_stderr('json', secrets=secrets)\n"
    begin += "def fail(): raise ValueError('no such hat')\n"
    result = subprocess.run(
        [sys.executable, "-c", begin + program], cwd=REPOSITORY, capture_output=True, text=True, timeout=30
    )  # fmt: skip
    assert result.stdout == ""
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_a_record_has_what_a_log_store_expects() -> None:
    (record,) = records("logging.getLogger('harstream.hat').warning('größer als %d', 7, extra={'camera': 'hall'})")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("time"))
    assert record == {"level": "WARNING", "logger": "harstream.hat", "message": "größer als 7", "camera": "hall"}


@pytest.mark.parametrize("program", ["fail()", IN_A_THREAD])
def test_an_internal_error_is_one_record_with_its_traceback_in_one_field(program: str) -> None:
    (record,) = records(program)
    assert (record["level"], record["message"]) == ("CRITICAL", "internal error")
    first, *_, last = record["error"].splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ValueError: no such hat")


def test_a_logged_exception_is_in_the_same_field() -> None:
    (record,) = records("try: fail()\nexcept ValueError: logging.getLogger('stream').exception('went on')")
    assert record["message"] == "went on"
    assert record["error"].endswith("ValueError: no such hat")


def test_a_warning_of_a_library_is_a_record() -> None:
    (record,) = records("import warnings\nwarnings.warn('hats are deprecated')")
    assert (record["level"], record["logger"]) == ("WARNING", "py.warnings")
    assert "hats are deprecated" in record["message"]


def test_the_reason_why_the_program_ends_is_a_record() -> None:
    (record,) = records("print_error('there is no 100 % hat')")
    assert (record["level"], record["message"]) == ("ERROR", "there is no 100 % hat")


def test_no_field_of_a_record_contains_a_secret() -> None:
    program = "secrets.add(['rtsp://anna:p%40ss17@host/1'])\n"
    program += "try: raise ValueError('p@ss17 is wrong')\nexcept ValueError: logging.getLogger('stream').exception("
    program += "'no %s', 'rtsp://anna:p%40ss17@host/1', extra={'camera': 'http://b:geheim@h'})\nprint_error('p@ss17')"
    first, second = records(program)
    assert not any(secret in str((first, second)) for secret in ("p@ss17", "p%40ss17", "geheim"))
    assert (first["message"], first["camera"], second["message"]) == ("no rtsp://***@host/1", "http://***@h", "***")
    assert first["error"].endswith("ValueError: *** is wrong")
