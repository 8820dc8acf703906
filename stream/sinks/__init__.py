"""Sinks for events and pictures, one module per kind of receiver."""
