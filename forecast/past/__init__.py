"""Reads past activities from files."""
