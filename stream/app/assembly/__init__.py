"""Builds the service of `harstream run` from the configuration."""
