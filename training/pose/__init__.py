"""Trains the network that recognizes activities from joints, and weighs it against a model of movement."""
