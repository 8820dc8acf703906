"""`python -m export`."""

from export.cli import app

app()
