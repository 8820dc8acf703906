"""The tests of harstream. What several of them share stands in `support`."""
