"""Runs cameras, recognition and sinks together, and applies changes while they run."""
