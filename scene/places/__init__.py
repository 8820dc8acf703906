"""The places of the scene: rooms and gardens, with furniture and moving things."""
