"""Joins clips to long streams, measures their events, and tunes the settings."""
