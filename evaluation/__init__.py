"""Evaluates an exported model on labelled clips, with the real pipeline and without TensorFlow."""
