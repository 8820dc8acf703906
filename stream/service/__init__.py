"""Runs cameras, recognition and sinks together, and applies what changes while they run."""
