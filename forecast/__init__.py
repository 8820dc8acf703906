"""Predicts what people do next, from the events and observations that `harstream run` publishes."""
