"""Footage that the project draws itself: a person doing exercises in front of a moving place."""
