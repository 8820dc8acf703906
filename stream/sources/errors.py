"""Turns any error of a source into a SourceError, so that one camera's trouble never ends another camera."""

from __future__ import annotations

import logging

from harstream.wire.errors import SourceError

log = logging.getLogger(__name__)


def as_source_error(error: Exception, camera: str) -> SourceError:
    """Return the error itself if it is a SourceError, else a SourceError that names it. The traceback is logged."""
    if isinstance(error, SourceError):
        return error
    log.debug("camera %s: internal error", camera, exc_info=error, extra={"camera": camera})
    named = SourceError(f"camera {camera} cannot be read, because of an internal error: {error!r}")
    named.__cause__ = error
    return named
