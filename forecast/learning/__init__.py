"""Learns the parameters of a forecast from past activities."""
