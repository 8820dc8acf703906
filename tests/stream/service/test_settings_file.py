from __future__ import annotations

from pathlib import Path

import pytest

from harstream.stream.service.settings_file import SettingsFile
from harstream.wire.values import CameraControl


def test_settings_are_kept_over_restarts(tmp_path: Path) -> None:
    first = SettingsFile(tmp_path / "controls.json")
    first.start()
    assert first.get("hall") == CameraControl("hall")
    first.put(CameraControl("hall", is_enabled=False, threshold=0.6))
    second = SettingsFile(tmp_path / "controls.json")
    second.start()
    assert second.get("hall") == CameraControl("hall", is_enabled=False, threshold=0.6)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"hall": 3}', '{"hall": {"enabled": true, "threshold": 7}}', "\xff\xfe", "[" * 100_000]
)
def test_a_file_without_settings_is_set_aside_in_one_line(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "controls.json"
    path.write_text(text, encoding="latin-1")
    file = SettingsFile(path)
    file.start()
    assert file.get("hall") == CameraControl("hall")
    (aside,) = tmp_path.glob("controls.json.broken-*")
    assert aside.read_text(encoding="latin-1") == text
    (line,) = caplog.messages
    assert str(aside) in line
    assert "\n" not in line
