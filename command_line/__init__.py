"""What the commands of every room share: options from dataclasses, and errors of one line."""
