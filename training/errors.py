"""What can go wrong in training, for a person to read."""


class TrainingError(Exception):
    """Training cannot begin or go on, or came to nothing."""
