"""The error of a training that cannot go on, with a text for a person."""


class TrainingError(Exception):
    """Training cannot begin or go on, or came to nothing."""
