"""Keras layers that this project defines."""
