"""The tests of harstream. Shared helpers are in `support`."""
