"""Where they are: rooms, gardens, and what stands and moves in them."""
