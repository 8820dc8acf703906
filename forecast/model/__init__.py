"""The mathematics of a forecast: numpy only, without clock, files and network."""
