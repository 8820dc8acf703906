"""The short form of the camera faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.camera_faults import camera_faults
from tests.support.broker import Mosquitto
from tests.support.cameras.rtsp_camera import require_rtsp_server


@pytest.mark.mosquitto
@pytest.mark.rtsp
@pytest.mark.timeout(400)
def test_cameras_recover_from_six_faults_while_others_work(tmp_path: Path, stopped_mosquitto: Mosquitto) -> None:
    require_rtsp_server()
    account = camera_faults(tmp_path, stopped_mosquitto, faults=6, seed=4, rest=(3, 3))
    assert account.mistakes == [], str(account)
    # In between, threads of a connection that has just ended may still be there. The last sample waits for their end.
    first, *_, last = account.growth.samples
    assert last.threads <= first.threads, str(account)
    assert last.files <= first.files, str(account)
    assert account.growth.memory < 0.3, str(account)
