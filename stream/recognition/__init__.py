"""Frames in, activities out: no device, no thread, no clock."""
