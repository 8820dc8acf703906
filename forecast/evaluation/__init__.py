"""Measures forecasts: on past activities, and on a simulated household whose best forecast is known."""
