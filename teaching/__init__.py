"""A user's own activities: examples of them become a part of a model's head, without TensorFlow."""
