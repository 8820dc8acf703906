"""Decides who may open the page and who may change settings."""
