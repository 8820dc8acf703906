"""Runs `python -m scene`."""

from scene.cli import app

app()
