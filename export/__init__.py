"""A Keras model to verified ONNX files: the whole window, and encoder and head for streams."""

import models  # noqa: F401  (before ONNX Runtime: see there)
