"""Measures how often the detector finds people."""
