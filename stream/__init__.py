"""Cameras and an ONNX model to activity events."""

import models  # noqa: F401  (before ONNX Runtime: see there)
