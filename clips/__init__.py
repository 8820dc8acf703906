"""Labelled video clips on disk: found, split, decoded. Knows nothing of models, training or streams."""
