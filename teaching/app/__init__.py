"""`harstream teach`: its commands and what they print."""
