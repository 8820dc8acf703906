"""The commands of the stream, one file each. Only this package chooses classes."""
