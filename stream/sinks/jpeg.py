"""Encodes a camera's picture as JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from harstream.models.picture import Pixels

QUALITY = 80
"""JPEG quality, 0 to 100."""


def jpeg(picture: Pixels, longest: int) -> bytes:
    """Encode a picture (H, W, 3) uint8 BGR as JPEG. Its longer side is scaled down to `longest` pixels.

    OpenCV releases the GIL while it encodes. Raises cv2.error for a picture without pixels.
    """
    H, W, _ = picture.shape
    if max(H, W) > longest:
        scale = longest / max(H, W)
        size = (max(1, round(W * scale)), max(1, round(H * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
