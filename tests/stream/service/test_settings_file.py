from __future__ import annotations

from pathlib import Path

import pytest

from harstream.stream.service.settings_file import SettingsFile
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraControl


def test_settings_are_kept_over_restarts(tmp_path: Path) -> None:
    first = SettingsFile(tmp_path / "controls.json")
    first.start()
    assert first.get("hall") == CameraControl("hall")
    first.put(CameraControl("hall", is_enabled=False, threshold=0.6))
    second = SettingsFile(tmp_path / "controls.json")
    second.start()
    assert second.get("hall") == CameraControl("hall", is_enabled=False, threshold=0.6)


@pytest.mark.parametrize("text", ["", "[]", '{"hall": 3}', '{"hall": {"enabled": true, "threshold": 7}}'])
def test_an_invalid_file_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "controls.json"
    path.write_text(text)
    with pytest.raises(SinkError, match=r"controls\.json.*remove the file"):
        SettingsFile(path).start()
