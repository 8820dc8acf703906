"""What was recognized, kept in an SQLite file."""
