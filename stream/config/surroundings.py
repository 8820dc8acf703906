"""What a configuration is checked against beyond itself: the model and the files that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationInfo

from harstream.models.contract import ModelContract
from harstream.wire.errors import ModelError


@dataclass(frozen=True)
class Surroundings:
    """What a configuration is checked against beyond itself. It is the context of pydantic's validators."""

    contract_of: Callable[[str], ModelContract]
    """Returns the contract of a model by name or path. Raises ModelError."""
    must_exist: frozenset[str] = frozenset()
    """Of `model` and `cameras`, the keys whose files must be there."""
    model: str = ""
    """Name or path of the configured model."""

    def contract(self) -> ModelContract | None:
        """Return None if the model cannot be opened; the key `model` reports that."""
        try:
            return self.contract_of(self.model)
        except ModelError:
            return None


def contract_in(info: ValidationInfo) -> ModelContract | None:
    """Return the model's contract; None if there are no surroundings or the model cannot be opened."""
    return info.context.contract() if isinstance(info.context, Surroundings) else None


def must_exist(key: str, info: ValidationInfo) -> bool:
    """Must the files that this key names be there?"""
    return isinstance(info.context, Surroundings) and key in info.context.must_exist
