"""Says whether this installation, and a model, can be taught."""

from __future__ import annotations

from importlib.util import find_spec

from harstream.models.catalogue import ModelFiles, find_model
from harstream.wire.errors import ModelError

MODULES = ("onnx", "sklearn")


def missing_extra() -> str | None:
    """Return what is not installed, as a sentence. None if nothing is missing. It imports nothing."""
    missing = next((name for name in MODULES if not _is_installed(name)), None)
    return missing and f"teaching needs {missing}, which is not installed: pip install 'harstream[teach]'"


def base_files(name_or_path: str) -> ModelFiles:
    """Return the files of a model that can be taught. Raises ModelError and ModelNotFound."""
    files = find_model(name_or_path)
    if files.encoder is None:
        raise ModelError(
            f"expected a model with encoder.onnx and head.onnx, whose rows can be taught, such as flow_tcn; "
            f"{name_or_path} has none"
        )
    return files


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False
