"""The commands of the stream, one file each: the only place that chooses classes."""
