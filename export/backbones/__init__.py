"""Fetches networks that were trained elsewhere, and converts them to ONNX files that ship with harstream."""
