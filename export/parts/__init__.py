"""Joins a model and a network of a part, such as joints, into a model whose rows have that part."""
