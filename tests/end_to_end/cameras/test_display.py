"""The OpenCV window opens on a real X server without a monitor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HARSTREAM = Path(sys.executable).with_name("harstream")


@pytest.fixture
def screen() -> Iterator[str]:
    if not shutil.which("Xvfb"):
        if os.environ.get("CI"):
            pytest.fail("Xvfb is missing: apt-get install xvfb")
        pytest.skip("needs Xvfb (apt-get install xvfb)")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait(10)


def test_a_window_opens_and_closes_with_the_run_without_output(
    screen: str, tmp_path: Path, new_port: Callable[[], int]
) -> None:
    (tmp_path / "config.yaml").write_text(f"mqtt: {{embedded_port: {new_port()}}}\n")
    command = [str(HARSTREAM), "run", "--source", "scene?seconds=3", "--display", "--no-web"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"DISPLAY": screen}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if " INFO " not in line] == []
