"""Trains a network on a part of recorded rows, such as joints, and weighs it against the model that saw the rows."""
