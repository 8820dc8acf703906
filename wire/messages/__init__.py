"""The messages: one pydantic type each. It is built from values by one constructor, encoded once, and read by others.

Additive changes keep a schema's id; a breaking change is the next number, on a topic of its own.
"""
