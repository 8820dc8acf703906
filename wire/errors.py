"""The tree of errors. Each message says what was expected, what came, and what to do.

HarstreamError               exit code
├── ConfigError              3   config.yaml or an option does not fit
│   ├── ConfigFileError      3   all mistakes of a config file, each with file, line and column
│   └── Misfit               3   one value does not fit; also a ValueError, because pydantic collects those
├── SourceError              4   a camera or file cannot be opened or read
├── ModelError               5   a model file is missing, broken, or does not fit its contract
├── BrokerError              6   the MQTT broker refuses the login or cannot be reached at start
├── SinkError                7   a port in use, a file that cannot be written, a broken history, no screen
│   └── FailingDisk          7   the disk is full or reports errors, which may pass
├── NodeTakenOver            8   a newer service or forecaster has the same node
└── ControlError             –   a running service cannot fulfil a request
    └── UnknownCamera
"""

from __future__ import annotations

from enum import StrEnum

from harstream.wire.masking import masked


class Trouble(StrEnum):
    """What is wrong with a camera, for programs. A message next to it explains it to a person."""

    LOGIN_REFUSED = "login_refused"
    NO_SUCH_STREAM = "no_such_stream"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NO_DEVICE = "no_device"
    NO_VIDEO = "no_video"
    UNDECODABLE = "undecodable"
    ENDED = "ended"
    TOO_FEW_FRAMES = "too_few_frames"
    IRREGULAR_FRAMES = "irregular_frames"
    OTHER = "other"


class HarstreamError(Exception):
    """Carries one line for the user. The addresses in it are masked, so that it contains no password."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(masked(message))


class ConfigError(HarstreamError):
    exit_code = 3


class ConfigFileError(ConfigError):
    def __init__(self, message: str, *, log: object = None) -> None:
        """Take the file's section `log` in `log`, which says how to log the mistakes."""
        super().__init__(message)
        self.log = log


class Misfit(ConfigError, ValueError):
    def __init__(self, expected: str, got: str = "", meant: str = "") -> None:
        """`got` is the value that came, empty if it is secret. `meant` is a guess at the intended value."""
        super().__init__(expected + (f", got {got}" if got else "") + (f"; did you mean {meant}?" if meant else ""))
        self.expected, self.got, self.meant = expected, got, meant


class SourceError(HarstreamError):
    """A camera or file cannot be opened or read; `trouble` says why, for a program."""

    exit_code = 4

    def __init__(self, message: str, trouble: Trouble = Trouble.OTHER) -> None:
        super().__init__(message)
        self.trouble = trouble


class ModelError(HarstreamError):
    """A model is missing, broken, does not fit its contract, or cannot run on the device."""

    exit_code = 5


class BrokerError(HarstreamError):
    exit_code = 6


class SinkError(HarstreamError):
    exit_code = 7


class FailingDisk(SinkError): ...


class NodeTakenOver(HarstreamError):
    exit_code = 8


class ControlError(HarstreamError): ...


class UnknownCamera(ControlError): ...
