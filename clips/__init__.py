"""Finds, splits and decodes labelled video clips. It knows nothing of training or streams."""
