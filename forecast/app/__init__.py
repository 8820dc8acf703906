"""The command `harstream forecast`."""
