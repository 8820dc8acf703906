"""Copies the files of `deploy/`, which an operator installs beside the package."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from harstream.wire.errors import ConfigError

KINDS = {
    "blueprints": "home-assistant/blueprints",
    "systemd": "systemd",
    "docker": "docker",
    "grafana": "grafana",
    "prometheus": "prometheus",
}
"""Each kind of file and its folder in `deploy/`."""


def copy_deployment_files(kinds: list[str], folder: Path) -> list[Path]:
    """Copy the files of these kinds into `folder`, one subfolder per kind, and return their new paths.

    Raises ConfigError if a file exists with different content, before it writes anything, and if the folder is not
    writable.
    """
    with as_file(files("harstream").joinpath("deploy")) as deploy:
        sources = {
            folder / kind / file.relative_to(deploy / KINDS[kind]): file
            for kind in kinds
            for file in sorted((deploy / KINDS[kind]).rglob("*"))
            if file.is_file() and "secrets" not in file.parts
        }
        try:
            for target, source in sources.items():
                if target.exists() and target.read_bytes() != source.read_bytes():
                    raise ConfigError(f"{target} exists and differs, so nothing was written: choose another folder")
            for target, source in sources.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        except OSError as error:
            raise ConfigError(f"cannot write {error.filename}: {(error.strerror or str(error)).lower()}") from error
    return list(sources)
