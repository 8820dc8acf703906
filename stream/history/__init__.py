"""The history of recognized activities, in an SQLite file."""
