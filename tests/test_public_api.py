"""`import harstream` is small, lazy and typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harstream

REPOSITORY = Path(__file__).parents[1]
NOT_NEEDED = ("amqtt", "keras", "matplotlib", "paho", "sklearn", "starlette", "tensorflow", "uvicorn", "websockets")


def run(program: str) -> str:
    """Runs a program in an interpreter that has imported nothing."""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.strip()


def test_import_alone_imports_no_library() -> None:
    program = "import sys, harstream\nprint({'numpy', 'cv2', 'av', 'onnxruntime', 'pydantic'} & set(sys.modules))"
    assert run(program) == "set()"


def test_recognizing_does_not_import_training_mqtt_or_the_page() -> None:
    program = f"""
import sys, harstream, numpy
list(harstream.recognize(((n / 8, numpy.zeros((9, 9, 3), "u1")) for n in range(30)), model="lrcn"))
list(harstream.recognize(((n / 8, numpy.zeros((9, 9, 3), "u1")) for n in range(30)), model="lrcn", scores=True))
harstream.load("lrcn")
print(sorted(set({NOT_NEEDED}) & set(sys.modules)))
"""
    assert run(program) == "[]"


@pytest.mark.parametrize("name", harstream.__all__)
def test_each_public_name_exists_and_is_documented(name: str) -> None:
    assert name in dir(harstream)
    value = getattr(harstream, name)
    assert isinstance(value, str) or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        harstream.no_such_name  # noqa: B018
