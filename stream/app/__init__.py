"""The commands that run, replay, listen, try, check and recount."""
