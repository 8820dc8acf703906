"""Trains and measures the papers' recipes and this project's recipe on the same clips."""
