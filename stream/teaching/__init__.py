"""Teaches a running service: examples from its cameras, a learning process beside it, and what it then uses."""
