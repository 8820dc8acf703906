"""Serves the page with all cameras, and the HTTP API."""
