"""Fetches files over the network, and makes models of them."""
