"""Converts a Keras model to verified ONNX or TFLite files: the whole window, and encoder and head for streams."""
