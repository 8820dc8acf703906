"""Cameras, recognition and sinks at work together; what may change while they are."""
