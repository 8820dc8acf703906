"""Clips on disk to a trained Keras model and a run folder that says everything needed to repeat it."""
