"""What the model sees of a camera: all of its picture, what moves, or each person."""
