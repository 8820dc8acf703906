"""The messages on the wire, each with one pydantic type. A message is built from values and encoded once.

An additive change keeps the id of the schema. A breaking change gets the next number and its own topic.
"""
