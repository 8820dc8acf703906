"""What can go wrong, as a tree; each message says what was expected, what came, and what to do.

HarstreamError               exit code
├── ConfigError              3   config.yaml or an option does not fit
│   ├── ConfigFileError      3   all mistakes of a config file, a line each, with file, line and column
│   └── Misfit               3   one value; a ValueError too, for pydantic gathers those
├── SourceError              4   a camera or file cannot be opened or read
├── ModelError               5   a model file is missing, broken, or does not fit its contract
├── BrokerError              6   the MQTT broker refused us or cannot be reached at start
└── SinkError                7   a port in use, a file that cannot be written, no screen
"""

from __future__ import annotations


class HarstreamError(Exception):
    """Raised with one line for the user, free of passwords."""

    exit_code = 1


class ConfigError(HarstreamError):
    exit_code = 3


class ConfigFileError(ConfigError):
    pass


class Misfit(ConfigError, ValueError):
    def __init__(self, expected: str, got: str = "", meant: str = "") -> None:
        """`got`: what came, without passwords; it is left out where the value is a secret. `meant`: a guess."""
        super().__init__(expected + (f", got {got}" if got else "") + (f"; did you mean {meant}?" if meant else ""))
        self.expected, self.got, self.meant = expected, got, meant


class SourceError(HarstreamError):
    exit_code = 4


class ModelError(HarstreamError):
    exit_code = 5


class BrokerError(HarstreamError):
    exit_code = 6


class SinkError(HarstreamError):
    exit_code = 7
