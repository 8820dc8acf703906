"""Joins a model of movement and a trained network of joints into a model whose rows have joints as a part."""
