"""Cameras on the network, each with the habits and faults that a test asks for."""
