"""Remembers the taught model that a running service was told to use in place of the configured one."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from harstream.resilience.whole_file import write_whole
from harstream.stream.config.activities import Overrides
from harstream.stream.config.file import with_overrides
from harstream.stream.config.model import Config
from harstream.stream.teaching.taught_folder import read_report, taught_on
from harstream.wire.errors import SinkError

log = logging.getLogger(__name__)

FILE = "teaching.json"
"""The name of the file in the state folder."""


def chosen_model(state: Path) -> Path | None:
    """Return the folder of the taught model to use. None: the configured model."""
    try:
        return state / str(json.loads((state / FILE).read_bytes())["model"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read (%r): the model of config.yaml is used", state / FILE, error)
        return None


def choose_model(state: Path, folder: Path | None) -> None:
    """Choose a folder inside `state`, or the configured model. Raises SinkError and then changes nothing."""
    try:
        if folder is None:
            (state / FILE).unlink(missing_ok=True)
        else:
            write_whole(state / FILE, json.dumps({"model": folder.name}))
    except OSError as error:
        raise SinkError(f"cannot write {state / FILE}: {error.strerror or error}") from error


def with_chosen_model(config: Config) -> Config:
    """Return the configuration with the chosen model and its thresholds, if it was taught on the configured one."""
    folder = chosen_model(config.state)
    if folder is None:
        return config
    report = read_report(folder, ())
    if report is None or taught_on(str(folder)) != (taught_on(config.model) or config.model):
        text = "%s, which was chosen on the page, is missing or was not taught on %s: config.yaml applies"
        log.warning(text, folder, config.model)
        return config
    overrides = dict(config.activities.overrides)
    for each in report.activities:
        earlier = overrides.get(each.activity) or Overrides()
        overrides[each.activity] = earlier.model_copy(update={"start_above": each.threshold})
    activities = config.activities.model_copy(update={"overrides": overrides})
    return with_overrides(config, {"model": str(folder), "activities": activities})
