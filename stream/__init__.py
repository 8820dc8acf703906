"""Cameras and an ONNX model to activity events."""
