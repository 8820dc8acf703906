"""NOTICE names all that is passed on, and the audit says so when it could not check anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import av
import pytest

from harstream.models.catalogue import PERSON_DETECTOR
from harstream.models.part_networks import LOOK, POSE

REPOSITORY = Path(__file__).parents[1]
PACKAGE = PERSON_DETECTOR.parents[2]
NOTICE = (REPOSITORY / "NOTICE").read_text()
NEEDED = [
    re.split(r"[>=;\[ ]", line)[0]
    for line in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
]


@pytest.mark.parametrize("package", NEEDED)
def test_the_notice_names_each_package(package: str) -> None:
    assert re.search(rf"^{package}\s", NOTICE, re.MULTILINE)


@pytest.mark.parametrize("library", ["libx264", "libx265"])
def test_the_notice_names_the_gpl_libraries_of_pyav(library: str) -> None:
    bundled = Path(av.__file__).parents[1] / "av.libs"
    if not any(bundled.glob(f"{library}-*")):
        pytest.skip(f"this PyAV has no {library}")
    assert re.search(rf"^{library}\s+GPL-2.0-or-later", NOTICE, re.MULTILINE)


@pytest.mark.parametrize("network", [PERSON_DETECTOR, POSE.file, LOOK.file], ids=lambda file: file.stem)
def test_the_notice_and_a_card_name_each_network_that_was_trained_elsewhere(network: Path) -> None:
    assert str(network.relative_to(PACKAGE)) in NOTICE
    assert "Apache-2.0" in network.with_name("CARD.md").read_text()


def test_the_audit_says_that_it_had_no_data(tmp_path: Path) -> None:
    for name in ("Makefile", "constraints.txt"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "dist").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    for done in (".runs", ".release"):
        (tmp_path / ".venv" / done).touch()
    offline = os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    pytest.importorskip("pip_audit")
    made = subprocess.run(["make", "audit"], cwd=tmp_path, env=offline, capture_output=True, text=True, timeout=120)
    assert made.returncode == 2
    assert "nothing was checked" in made.stdout
