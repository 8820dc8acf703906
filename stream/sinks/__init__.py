"""Where events and pictures go: one module a kind of listener."""
