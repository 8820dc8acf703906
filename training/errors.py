"""The error of a training that cannot go on, with a text for a person."""


class TrainingError(Exception):
    """The training cannot start or continue, or has no usable result."""
