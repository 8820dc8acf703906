"""The context for checks of a configuration that look at the model and at files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationInfo

from harstream.models.contract import ModelContract
from harstream.wire.errors import ModelError


@dataclass(frozen=True)
class ValidationContext:
    """The context of pydantic's validators. Without it, they look at neither model nor files."""

    contract_of: Callable[[str], ModelContract]
    """Returns the contract of a model by name or path. Raises ModelError."""
    must_exist: frozenset[str] = frozenset()
    """The keys whose files must exist: `model`, `cameras` or both."""
    model: str = ""
    """Name or path of the configured model."""

    def contract(self) -> ModelContract | None:
        """Return the model's contract, or None if the model cannot be opened. The key `model` reports that error."""
        try:
            return self.contract_of(self.model)
        except ModelError:
            return None


def contract_in(info: ValidationInfo) -> ModelContract | None:
    """Return the model's contract, or None without a context and for a model that cannot be opened."""
    return info.context.contract() if isinstance(info.context, ValidationContext) else None


def must_exist(key: str, info: ValidationInfo) -> bool:
    """Return whether the files that this key names must exist."""
    return isinstance(info.context, ValidationContext) and key in info.context.must_exist
